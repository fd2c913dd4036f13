// SCRAM messages from hostile hands. The first byte chooses mechanism and channel binding, the rest
// are two messages with a newline between them: to a server as what a client says, and to a client
// as what a server says. Neither may believe it: the fuzzer does not know the password.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/roles/scram_secret.h"
#include "protocol/scram.h"

namespace connbench::protocol {
namespace {

constexpr std::string_view kNonce = "fixed-nonce-of-server";

void LieToServer(std::string_view first, std::string_view last, std::string_view mechanism,
                 const std::string& end_point) {
  static const engine::ScramSecret kSecret = engine::MakeScramSecret("secret", "salt", 2);
  ScramServer server(kSecret, kSecret, end_point, std::string(kNonce));
  if (!server.Begin(mechanism, first).ok()) return;
  const auto answer = server.Finish(last);
  if (server.authenticated() || (answer.ok() && !answer->empty())) std::abort();
}

void LieToClient(std::string_view first, std::string_view last) {
  // So many rounds as a server likes would take the fuzzer's time, not find anything.
  if (first.find(",i=") != std::string_view::npos &&
      first.size() - first.rfind(",i=") > std::string_view(",i=999").size()) {
    return;
  }
  ScramClient client("secret", "", false, "fixed", nullptr);
  client.First();
  if (!client.Final(first).ok()) return;
  if (client.Verify(last).ok()) std::abort();
}

}  // namespace
}  // namespace connbench::protocol

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace connbench::protocol;
  if (size == 0) return 0;
  const bool plus = (data[0] & 1) != 0;
  const bool bound = (data[0] & 2) != 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t cut = text.find('\n');
  const std::string_view first = text.substr(0, cut);
  const std::string_view last = cut == std::string_view::npos ? "" : text.substr(cut + 1);
  LieToServer(first, last, plus ? kScramPlusMechanism : kScramMechanism,
              bound ? std::string(32, 'h') : std::string());
  LieToClient(first, last);
  return 0;
}
