// A certificate that signs itself, with its private key: for tests, and for trials with ssl=on that
// name none. RSA with 2,048 bits and SHA-256, as most servers have; made out to localhost,
// 127.0.0.1 and ::1; good for some days only.
//
// Safety: pure but for random numbers; any thread. Errors: XX000 with OpenSSL's reason.
#pragma once

#include <string>

#include "base/status.h"

namespace connbench::protocol {

struct SelfSignedCertificate {
  std::string certificate_pem;
  std::string key_pem;
};

Result<SelfSignedCertificate> MakeSelfSignedCertificate();

// Makes one and writes server.crt and server.key (0600) into an existing folder. 58000 for what
// cannot be written.
Status WriteSelfSignedCertificate(const std::string& folder);

}  // namespace connbench::protocol
