// The program of a `fork-exec` backend, started anew for one connection.
#include "models/fork_exec/exec_backend.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "engine/engine.h"
#include "models/backend_signals.h"
#include "models/connection.h"
#include "protocol/messages.h"

namespace connbench::models {
namespace {

// No subcommand of the command line, and nothing a user would type.
constexpr char kFlag[] = "--connbench-backend";
// Program, flag, segment, descriptor, connection id; hba_file, ssl, ssl_cert_file, ssl_key_file,
// auth_delay.
constexpr int kArguments = 10;

template <typename Number>
bool ParseNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// noexcept: what nobody caught, and a library that ends the thread, are crashes.
int Serve(const ExecBackendArguments& arguments) noexcept {
  backend_signals::Install();
  Result<std::unique_ptr<engine::Engine>> engine =
      engine::Engine::Attach(arguments.segment, /*read_only=*/false);
  const auto security = protocol::ServerSecurity::Load(arguments.security);
  if (!engine.ok() || !security.ok()) {
    std::string message;
    const ErrorInfo& error = (engine.ok() ? security.status() : engine.status()).error();
    const Status reason = Status::Fatal(error.code, error.message);
    protocol::AppendErrorResponse(message, "FATAL", reason.error());
    (void)!send(arguments.fd, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return 1;
  }
  AcceptedConnection connection;
  connection.fd = arguments.fd;
  connection.connection_id = arguments.connection_id;
  connection.security = security->get();
  connection.peer_length = sizeof(connection.peer);
  if (getpeername(connection.fd, reinterpret_cast<sockaddr*>(&connection.peer),
                  &connection.peer_length) != 0) {
    connection.peer_length = 0;  // gone already
  }
  ConnectionStop stop(connection);
  backend_signals::BeginBackend(**engine, stop);
  ServeConnection(**engine, connection, stop);
  backend_signals::EndBackend();
  return 0;
}

}  // namespace

int ExecBackend(const std::string& program, const ExecBackendArguments& arguments) {
  std::string name = "connbench-backend";
  std::string flag = kFlag;
  std::string segment = arguments.segment;
  std::string fd = std::to_string(arguments.fd);
  std::string connection_id = std::to_string(arguments.connection_id);
  protocol::SecuritySettings security = arguments.security;
  std::string ssl = security.ssl ? "on" : "off";
  std::string auth_delay = std::to_string(security.auth_delay_ms);
  char* const argv[] = {name.data(),
                        flag.data(),
                        segment.data(),
                        fd.data(),
                        connection_id.data(),
                        security.hba_file.data(),
                        ssl.data(),
                        security.ssl_cert_file.data(),
                        security.ssl_key_file.data(),
                        auth_delay.data(),
                        nullptr};
  if (fcntl(arguments.fd, F_SETFD, 0) != 0) return errno;
  execv(program.c_str(), argv);
  return errno;
}

std::optional<int> RunExecBackend(int argc, char** argv) {
  if (argc != kArguments || std::strcmp(argv[1], kFlag) != 0) return std::nullopt;
  ExecBackendArguments arguments;
  arguments.segment = argv[2];
  arguments.security = {.hba_file = argv[5],
                        .ssl = std::string_view(argv[6]) == "on",
                        .ssl_cert_file = argv[7],
                        .ssl_key_file = argv[8]};
  if (!ParseNumber(argv[3], arguments.fd) || !ParseNumber(argv[4], arguments.connection_id) ||
      !ParseNumber(argv[9], arguments.security.auth_delay_ms)) {
    std::fprintf(stderr, "connbench: %s is for the server itself\n", kFlag);
    return 2;
  }
  return Serve(arguments);
}

}  // namespace connbench::models
