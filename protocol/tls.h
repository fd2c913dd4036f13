// TLS without I/O, through OpenSSL 3: wire bytes in, plain bytes out, and the other way round. A
// TlsStream sits between a connection's socket and its session; OpenSSL never sees a descriptor.
//
// TLS 1.2 and 1.3, no compression, no renegotiation, no session tickets, so that every connection
// pays a whole handshake, as with PostgreSQL. Key exchange by X25519 or P-256.
//
// Safety: a TlsContext is immutable once made; any thread, and processes forked afterwards. A
// TlsStream is private memory of one connection, one thread at a time.
//
// Errors: 08P01 with OpenSSL's reason; afterwards the stream is dead, and what it has put out (an
// alert) is all that may still be sent. Files: F0000 names the file and what to do.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace connbench::protocol {

struct OpensslDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// What a client demands of the server's certificate.
enum class TlsVerification : uint8_t {
  kNone,   // sslmode require: encrypted, with whomever
  kChain,  // verify-ca: signed by the root certificate
  kHost,   // verify-full: and made out to the host's name or address
};

class TlsContext {
 public:
  // The key file must be the user's own (0600) or root's (0640), as PostgreSQL demands.
  static Result<TlsContext> ForServer(const std::string& certificate_file,
                                      const std::string& key_file);
  // root_file may be empty with kNone only.
  static Result<TlsContext> ForClient(TlsVerification verification, const std::string& root_file);

  // The hash that binds SCRAM to this server's certificate (tls-server-end-point, RFC 5929); empty
  // if the certificate's signature names no hash, and then there is no SCRAM-SHA-256-PLUS.
  const std::string& end_point() const { return end_point_; }

 private:
  friend class TlsStream;
  explicit TlsContext(SSL_CTX* context) : context_(context) {}

  std::unique_ptr<SSL_CTX, OpensslDeleter> context_;
  TlsVerification verification_ = TlsVerification::kNone;
  std::string end_point_;
};

// A TLS record's worth: what a buffer for Read() has room for. It stands on the reader's stack, and
// only encrypted bytes touch it.
inline constexpr size_t kTlsPlainBytes = 16 << 10;

class TlsStream {
 public:
  // Wire bytes to send are appended to output. It and the context must outlive the stream.
  static std::unique_ptr<TlsStream> Accept(const TlsContext& context, std::string& output);
  // host: for kHost. The first flight is in output at once.
  static std::unique_ptr<TlsStream> Connect(const TlsContext& context, const std::string& host,
                                            std::string& output);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // Wire bytes that arrived, all of which Read() must take before the next call; they need to live
  // until Read() has returned 0.
  void Feed(std::string_view wire) { input_ = wire; }
  // Plain bytes, 0 when it takes more wire bytes to know more.
  Result<size_t> Read(std::span<char> plain);
  // Encrypts. Only once established().
  Status Write(std::string_view plain);
  // Says good-bye; nothing can be written afterwards.
  void Close();

  bool established() const;
  bool ended() const { return ended_; }  // the peer has said good-bye
  // A client's view: the hash of the certificate that the server has shown; "" if it has none.
  std::string PeerEndPoint() const;

 private:
  friend struct TlsBio;
  TlsStream(const TlsContext& context, std::string& output);
  Status Failed(int result);

  std::unique_ptr<SSL, OpensslDeleter> ssl_;
  std::string_view input_;
  std::string& output_;
  bool ended_ = false;
  bool dead_ = false;
};

}  // namespace connbench::protocol
