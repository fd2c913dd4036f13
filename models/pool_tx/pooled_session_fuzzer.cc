// Feeds any bytes of an authenticated client to a pooler with a real backend behind it, and then
// looks whether the backend still belongs to the next client.
//
// The first byte chooses the pool mode and whether what follows is cut in two; the rest is what the
// client sends after ReadyForQuery. One backend serves all inputs, so that whatever one leaves
// behind meets the next.
//
// It is a bug when answers are not whole messages, when the connection does not end with its
// client, when a client that comes afterwards does not get its own answers or meets what the input
// has set, or when a client that was there before misses what it has set and prepared.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "models/testing/pool_rig.h"
#include "models/testing/raw_client.h"

namespace connbench::models {
namespace {

using testing::PoolRig;
using testing::RawClient;

[[noreturn]] void Broken(const char* what) {
  std::fprintf(stderr, "pooled_session_fuzzer: %s\n", what);
  std::abort();
}

PoolRig& RigOf(PoolMode mode) {
  static const std::unique_ptr<PoolRig> kRigs[] = {
      std::make_unique<PoolRig>(PoolMode::kSession, 1),
      std::make_unique<PoolRig>(PoolMode::kTransaction, 1),
      std::make_unique<PoolRig>(PoolMode::kStatement, 1),
  };
  return *kRigs[static_cast<int>(mode)];
}

// Who has a setting and a statement, and has the backend only while it is asked for them.
class Bystander {
 public:
  explicit Bystander(const PoolRig& rig) : client_(rig.path()) {
    if (!client_.Start("bystander", {{"work_mem", "3MB"}})) Broken("the bystander cannot connect");
    client_.Send(testing::Parse("mine", "select current_setting('work_mem')") + testing::Sync());
    if (client_.Until('Z') != "1Z") Broken("the bystander cannot prepare");
  }
  void Check() {
    client_.Send(testing::Bind("", "mine") + testing::Execute("") + testing::Sync());
    if (client_.Until('Z') != "2DCZ" || client_.first_value() != "3MB") {
      Broken("the bystander does not find what it has set and prepared");
    }
  }

 private:
  RawClient client_;
};

// With `pool_mode=session` it would keep the only backend.
void CheckBystander(PoolMode mode) {
  if (mode == PoolMode::kSession) return;
  static const std::unique_ptr<Bystander> kBystanders[] = {
      std::make_unique<Bystander>(RigOf(PoolMode::kTransaction)),
      std::make_unique<Bystander>(RigOf(PoolMode::kStatement)),
  };
  kBystanders[mode == PoolMode::kTransaction ? 0 : 1]->Check();
}

// A prepared statement of its own, by the extended protocol, and a session like a new one.
void CheckNextClient(const PoolRig& rig) {
  RawClient client(rig.path());
  if (!client.Start()) Broken("the next client cannot connect");
  client.Send(testing::Bind("", "") + testing::Sync());
  if (client.Until('Z') != "EZ" || client.error_code() != sqlstate::kInvalidSqlStatementName) {
    Broken("the next client has an unnamed statement that it has not prepared");
  }
  client.Send(testing::Query("show work_mem"));
  if (client.Until('Z') != "TDCZ" || client.first_value() != "4MB") {
    Broken("the next client meets settings of others");
  }
  client.Send(testing::Parse("s", "select 40 + $1::int") + testing::Bind("", "s", "2") +
              testing::Execute("") + testing::Sync());
  if (client.Until('Z') != "12DCZ" || client.first_value() != "42") {
    Broken("the next client does not get its own answers");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const auto mode = static_cast<PoolMode>(data[0] % 3);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const PoolRig& rig = RigOf(mode);
  CheckBystander(mode);  // who is there before the input comes
  {
    RawClient client(rig.path());
    if (!client.Start()) Broken("a client cannot connect");
    const size_t cut = (data[0] & 0x80) != 0 ? bytes.size() / 2 : bytes.size();
    client.Send(bytes.substr(0, cut));
    client.Send(bytes.substr(cut));
    client.EndSending();
    if (!client.UntilClosed()) {
      std::fprintf(stderr, "%s, %zu bytes are left\n", client.closed() ? "closed" : "open",
                   client.unread().size());
      Broken("the answers are not whole messages, or do not end");
    }
  }
  CheckNextClient(rig);
  CheckBystander(mode);
  return 0;
}

}  // namespace connbench::models
