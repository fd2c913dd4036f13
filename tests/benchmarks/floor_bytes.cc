// The floor under every model: one thread that accepts, reads and answers with bytes it already
// has, one connection at a time. It has no protocol, no session and no engine: what is left is what
// any server on this machine pays for a connect and for the round trip of a statement.
//
//   floor_bytes PORT
//
// PORT is a connbench server on 127.0.0.1, the reference. Requests of a kind that is new (by the
// first byte and the beginning of the message's body) are passed on to it and its answer is kept;
// all later ones of the kind get that answer. So the bytes are exactly those of the server that is
// compared, without a copy of them in here; whoever measures sends each kind once before. Prints
// "port=N" when it accepts. Ends with SIGTERM.
//
// For tests/benchmarks/models_vs_floor.py; not installed.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr size_t kBufferBytes = 16 << 10;
// Of a message: its type and length, which varies with numbers in it.
constexpr size_t kHeaderBytes = 5;
// Of its body: enough to tell a statement from another, too little to reach a parameter's value.
constexpr size_t kKindBytes = 8;
constexpr size_t kReadyForQueryBytes = 6;
constexpr int kBacklog = 1024;

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

struct Answer {
  char type;
  std::string kind;
  std::string bytes;
};

class Answers {
 public:
  explicit Answers(int reference_port) : reference_port_(reference_port) {}

  const std::string& For(std::string_view request) {
    // A startup packet has no type; its first byte is that of a length, 0.
    const char type = request[0];
    const std::string_view kind =
        type == 0 ? std::string_view()
                  : request.substr(std::min(kHeaderBytes, request.size()), kKindBytes);
    for (const Answer& answer : answers_) {
      if (answer.type == type && answer.kind == kind) return answer.bytes;
    }
    return answers_.emplace_back(Answer{type, std::string(kind), Ask(request)}).bytes;
  }

 private:
  // Until the answer ends with ReadyForQuery.
  std::string Ask(std::string_view request) {
    if (request[0] == 0) {
      reference_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in address = Loopback(reference_port_);
      if (connect(reference_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        Die("connecting to the reference");
      }
    }
    if (send(reference_, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      Die("asking the reference");
    }
    std::string answer;
    char buffer[kBufferBytes];
    while (answer.size() < kReadyForQueryBytes ||
           answer[answer.size() - kReadyForQueryBytes] != 'Z') {
      const ssize_t count = recv(reference_, buffer, sizeof(buffer), 0);
      if (count <= 0) Die("the reference's answer");
      answer.append(buffer, static_cast<size_t>(count));
    }
    return answer;
  }

  const int reference_port_;
  int reference_ = -1;
  std::vector<Answer> answers_;
};

void Serve(int fd, Answers& answers) {
  char buffer[kBufferBytes];
  while (true) {
    const ssize_t count = recv(fd, buffer, sizeof(buffer), 0);
    if (count <= 0 || buffer[0] == 'X') return;
    const std::string& answer = answers.For({buffer, static_cast<size_t>(count)});
    if (send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int reference_port = argc == 2 ? std::atoi(argv[1]) : 0;
  if (reference_port <= 0) {
    std::fprintf(stderr, "usage: floor_bytes PORT_OF_THE_REFERENCE\n");
    return 1;
  }
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  // As the models' listeners, from which accepted sockets inherit it.
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener, kBacklog) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    Die("listening");
  }
  std::printf("port=%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  Answers answers(reference_port);
  while (true) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) Die("accept");
    Serve(fd, answers);
    close(fd);
  }
}
