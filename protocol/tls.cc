// TLS without I/O, through OpenSSL 3.
#include "protocol/tls.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "base/read_file.h"
#include "protocol/hba_rules.h"

namespace connbench::protocol {

// OpenSSL's way to the stream's buffers: a BIO whose reads take from input_ and whose writes append
// to output_, so that no byte is copied once more and an idle stream holds no buffer for it.
struct TlsBio {
  static int Write(BIO* bio, const char* bytes, size_t size, size_t* written) {
    try {
      static_cast<TlsStream*>(BIO_get_data(bio))->output_.append(bytes, size);
    } catch (const std::bad_alloc&) {
      return 0;  // to OpenSSL, which is C: the stream is dead then
    }
    *written = size;
    return 1;
  }
  static int Read(BIO* bio, char* bytes, size_t size, size_t* got) {
    std::string_view& input = static_cast<TlsStream*>(BIO_get_data(bio))->input_;
    BIO_clear_retry_flags(bio);
    *got = std::min(size, input.size());
    if (*got == 0) {
      BIO_set_retry_read(bio);
      return 0;
    }
    std::memcpy(bytes, input.data(), *got);
    input.remove_prefix(*got);
    return 1;
  }
  static long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* Method() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "TlsStream");
      BIO_meth_set_write_ex(made, &Write);
      BIO_meth_set_read_ex(made, &Read);
      BIO_meth_set_ctrl(made, &Control);
      return made;
    }();
    return method;
  }
};

namespace {

std::string Reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown reason";
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("OpenSSL error {:x}", code);
}

Status FileError(std::string message) {
  return Status::Error(sqlstate::kConfigFileError, std::move(message));
}

// As PostgreSQL's check_ssl_key_file_permissions.
Status CheckKeyFile(const std::string& path) {
  struct stat file;
  if (stat(path.c_str(), &file) != 0) {
    return FileError(
        fmt::format("could not access private key file \"{}\": {}", path, std::strerror(errno)));
  }
  if (!S_ISREG(file.st_mode)) {
    return FileError(fmt::format("private key file \"{}\" is not a regular file", path));
  }
  if (file.st_uid != geteuid() && file.st_uid != 0) {
    return FileError(
        fmt::format("private key file \"{}\" must be owned by the database user or root", path));
  }
  const bool own = file.st_uid == geteuid() && (file.st_mode & (S_IRWXG | S_IRWXO)) != 0;
  const bool of_root = file.st_uid == 0 && (file.st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) != 0;
  if (own || of_root) {
    return FileError(fmt::format("private key file \"{}\" has group or world access", path))
        .WithDetail(
            "File must have permissions u=rw (0600) or less if owned by the database user, or "
            "permissions u=rw,g=r (0640) or less if owned by root.");
  }
  return {};
}

SSL_CTX* NewContext(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  if (context == nullptr) return nullptr;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // An idle connection keeps no record buffers.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set1_groups_list(context, "X25519:P-256");
  SSL_CTX_set_cipher_list(context, "HIGH:MEDIUM:!3DES:!aNULL");
  return context;
}

// RFC 5929: the hash of the signature, but SHA-256 where that is MD5 or SHA-1.
std::string EndPointOf(X509* certificate) {
  if (certificate == nullptr) return {};
  int digest_nid = NID_undef;
  if (X509_get_signature_info(certificate, &digest_nid, nullptr, nullptr, nullptr) != 1 ||
      digest_nid == NID_undef) {
    ERR_clear_error();
    return {};
  }
  const bool weak = digest_nid == NID_md5 || digest_nid == NID_sha1;
  const EVP_MD* digest = weak ? EVP_sha256() : EVP_get_digestbynid(digest_nid);
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (digest == nullptr || X509_digest(certificate, digest, hash, &size) != 1) return {};
  return {reinterpret_cast<char*>(hash), size};
}

}  // namespace

Result<TlsContext> TlsContext::ForServer(const std::string& certificate_file,
                                         const std::string& key_file) {
  TlsContext made(NewContext(TLS_server_method()));
  SSL_CTX* context = made.context_.get();
  if (context == nullptr) return FileError("could not create SSL context: " + Reason());
  // OpenSSL would wait for ever at a pipe.
  if (Status readable = ReadNamedFile("server certificate file", certificate_file).status();
      !readable.ok()) {
    return FileError(readable.error().message)
        .WithHint("Give a certificate in PEM form with ssl_cert_file.");
  }
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return FileError(fmt::format("could not load server certificate file \"{}\": {}",
                                 certificate_file, Reason()))
        .WithHint("Give a certificate in PEM form with ssl_cert_file.");
  }
  CONNBENCH_RETURN_IF_ERROR(CheckKeyFile(key_file));
  CONNBENCH_RETURN_IF_ERROR(ReadNamedFile("private key file", key_file).status());
  // No passphrase is asked for: a server starts without a terminal.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return FileError(fmt::format("could not load private key file \"{}\": {}", key_file, Reason()))
        .WithHint("Give a key in PEM form, without a passphrase, with ssl_key_file.");
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return FileError(
        fmt::format("the private key in \"{}\" does not belong to the certificate in "
                    "\"{}\": {}",
                    key_file, certificate_file, Reason()));
  }
  made.end_point_ = EndPointOf(SSL_CTX_get0_certificate(context));
  return made;
}

Result<TlsContext> TlsContext::ForClient(TlsVerification verification,
                                         const std::string& root_file) {
  TlsContext made(NewContext(TLS_client_method()));
  SSL_CTX* context = made.context_.get();
  if (context == nullptr) return FileError("could not create SSL context: " + Reason());
  made.verification_ = verification;
  if (verification == TlsVerification::kNone) return made;
  ERR_clear_error();
  if (SSL_CTX_load_verify_locations(context, root_file.c_str(), nullptr) != 1) {
    return FileError(
               fmt::format("could not read root certificate file \"{}\": {}", root_file, Reason()))
        .WithHint(
            "Name the certificate of the authority (or the server's own, if it is "
            "self-signed) with PGSSLROOTCERT.");
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return made;
}

TlsStream::TlsStream(const TlsContext& context, std::string& output)
    : ssl_(SSL_new(context.context_.get())), output_(output) {
  if (ssl_ == nullptr) {
    dead_ = true;
    return;
  }
  BIO* bio = BIO_new(TlsBio::Method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // which owns it now
}

std::unique_ptr<TlsStream> TlsStream::Accept(const TlsContext& context, std::string& output) {
  std::unique_ptr<TlsStream> stream(new TlsStream(context, output));
  if (!stream->dead_) SSL_set_accept_state(stream->ssl_.get());
  return stream;
}

std::unique_ptr<TlsStream> TlsStream::Connect(const TlsContext& context, const std::string& host,
                                              std::string& output) {
  std::unique_ptr<TlsStream> stream(new TlsStream(context, output));
  if (stream->dead_) return stream;
  SSL* ssl = stream->ssl_.get();
  SSL_set_connect_state(ssl);
  if (context.verification_ == TlsVerification::kHost) {
    X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
    if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) != 1)
      SSL_set1_host(ssl, host.c_str());
  }
  ERR_clear_error();
  SSL_do_handshake(ssl);  // writes the first flight and then wants to read
  return stream;
}

bool TlsStream::established() const { return !dead_ && SSL_is_init_finished(ssl_.get()) == 1; }

Status TlsStream::Failed(int result) {
  const int error = dead_ ? SSL_ERROR_SSL : SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ && !dead_) return {};
  if (error == SSL_ERROR_ZERO_RETURN) {
    ended_ = true;
    return {};
  }
  std::string reason = Reason();
  if (ssl_ != nullptr && SSL_get_verify_result(ssl_.get()) != X509_V_OK) {
    reason = X509_verify_cert_error_string(SSL_get_verify_result(ssl_.get()));
  }
  dead_ = true;
  return Status::Fatal(sqlstate::kProtocolViolation, "SSL error: " + reason);
}

Result<size_t> TlsStream::Read(std::span<char> plain) {
  size_t got = 0;
  if (!dead_ && !ended_) {
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), plain.data(), plain.size(), &got);
    if (result == 1) return got;
    CONNBENCH_RETURN_IF_ERROR(Failed(result));
    return size_t{0};
  }
  if (ended_) return size_t{0};
  return Failed(0);
}

Status TlsStream::Write(std::string_view plain) {
  while (!plain.empty()) {
    if (dead_) return Failed(0);
    size_t written = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &written);
    if (result != 1) {
      // The buffer takes everything: only a handshake that is not over could be in the way.
      CONNBENCH_RETURN_IF_ERROR(Failed(result));
      dead_ = true;
      return Failed(0);
    }
    plain.remove_prefix(written);
  }
  return {};
}

void TlsStream::Close() {
  if (!established()) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

std::string TlsStream::PeerEndPoint() const {
  if (!established()) return {};
  X509* certificate = SSL_get1_peer_certificate(ssl_.get());
  std::string hash = EndPointOf(certificate);
  X509_free(certificate);
  return hash;
}

}  // namespace connbench::protocol
