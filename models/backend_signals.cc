// The signals by which a supervisor ends its children, as a child handles them.
#include "models/backend_signals.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <string>

#include "protocol/messages.h"

namespace connbench::models::backend_signals {
namespace {

std::atomic<ConnectionStop*> g_connection{nullptr};
std::atomic<const engine::Engine*> g_engine{nullptr};
std::atomic<engine::TaskStop*> g_task{nullptr};
static_assert(std::atomic<ConnectionStop*>::is_always_lock_free);

// The answer to SIGQUIT, made before any handler can run and never changed.
const std::string& CrashMessage() {
  static const std::string* const message = [] {
    ErrorInfo error;
    error.code = sqlstate::kCrashShutdown;
    error.message = "terminating connection because of crash of another server process";
    error.detail =
        "The supervisor has ended this server process, because another one died abnormally and may "
        "have left shared memory corrupted.";
    error.hint = "In a moment you should be able to reconnect to the database.";
    error.fatal = true;
    auto* text = new std::string;  // NOLINT: lives as long as the process
    protocol::AppendErrorResponse(*text, "FATAL", error);
    return text;
  }();
  return *message;
}

void OnTerminate(int /*signal*/) {
  const int saved_errno = errno;
  if (ConnectionStop* connection = g_connection.load()) connection->Request();
  if (engine::TaskStop* task = g_task.load()) task->Request();
  errno = saved_errno;
}

void OnSessionEnd(int /*signal*/) {
  const int saved_errno = errno;
  ConnectionStop* connection = g_connection.load();
  // The signal may have been meant for the connection before this one.
  if (connection != nullptr && g_engine.load()->AskedToEnd(connection->connection_id())) {
    connection->Request();
  }
  errno = saved_errno;
}

void OnQuit(int /*signal*/) {
  const ConnectionStop* connection = g_connection.load();
  if (connection != nullptr && !connection->sending()) {
    const std::string& message = CrashMessage();
    (void)!send(connection->fd(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  _exit(kQuitExitCode);
}

void Mask(int how, std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : signals) sigaddset(&set, signal);
  sigprocmask(how, &set, nullptr);
}

}  // namespace

void Install() {
  CrashMessage();
  struct sigaction action = {};
  sigfillset(&action.sa_mask);
  action.sa_handler = OnTerminate;
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = OnSessionEnd;
  sigaction(SIGUSR1, &action, nullptr);
  action.sa_handler = OnQuit;
  sigaction(SIGQUIT, &action, nullptr);
}

void BeginServer() { Mask(SIG_UNBLOCK, {SIGQUIT}); }

void BeginBackend(const engine::Engine& engine, ConnectionStop& stop) {
  g_engine.store(&engine);
  g_connection.store(&stop);
  Mask(SIG_UNBLOCK, {SIGTERM, SIGUSR1, SIGQUIT});
}

void BeginTask(engine::TaskStop& stop) {
  g_task.store(&stop);
  Mask(SIG_UNBLOCK, {SIGTERM, SIGQUIT});
}

void EndBackend() {
  Mask(SIG_BLOCK, {SIGTERM, SIGUSR1});
  g_connection.store(nullptr);
}

}  // namespace connbench::models::backend_signals
