// A certificate that signs itself, with its private key.
#include "protocol/self_signed_certificate.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace connbench::protocol {
namespace {

constexpr int kKeyBits = 2048;
constexpr long kValidSeconds = 30L * 24 * 3600;
constexpr long kClockSlackSeconds = 24L * 3600;
constexpr long kVersion3 = 2;

struct Deleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};

bool AddExtension(X509* certificate, int nid, const char* value) {
  const std::unique_ptr<X509_EXTENSION, Deleter> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool Fill(X509* certificate, EVP_PKEY* key) {
  X509_set_version(certificate, kVersion3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kClockSlackSeconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kValidSeconds);
  X509_NAME* const name = X509_get_subject_name(certificate);
  constexpr unsigned char kName[] = "localhost";
  return X509_set_pubkey(certificate, key) == 1 &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, kName, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 &&
         AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         AddExtension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
         X509_sign(certificate, key, EVP_sha256()) != 0;
}

std::string Contents(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<size_t>(size)};
}

Status WriteFile(const std::string& path, const std::string& text, mode_t mode) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return Status::System("could not create " + path, errno);
  const ssize_t written = write(fd, text.data(), text.size());
  const int error = errno;
  close(fd);
  if (written == static_cast<ssize_t>(text.size())) return {};
  return Status::System("could not write " + path, error);
}

}  // namespace

Result<SelfSignedCertificate> MakeSelfSignedCertificate() {
  const std::unique_ptr<EVP_PKEY, Deleter> key(EVP_RSA_gen(kKeyBits));
  const std::unique_ptr<X509, Deleter> certificate(X509_new());
  const std::unique_ptr<BIO, Deleter> certificate_out(BIO_new(BIO_s_mem()));
  const std::unique_ptr<BIO, Deleter> key_out(BIO_new(BIO_s_mem()));
  const bool made =
      key && certificate && certificate_out && key_out && Fill(certificate.get(), key.get()) &&
      PEM_write_bio_X509(certificate_out.get(), certificate.get()) == 1 &&
      PEM_write_bio_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) ==
          1;
  if (!made) {
    const char* reason = ERR_reason_error_string(ERR_get_error());
    return Status::Error(sqlstate::kInternalError,
                         std::string("could not make a certificate: ") +
                             (reason == nullptr ? "unknown reason" : reason));
  }
  return SelfSignedCertificate{Contents(certificate_out.get()), Contents(key_out.get())};
}

Status WriteSelfSignedCertificate(const std::string& folder) {
  CONNBENCH_ASSIGN_OR_RETURN(const SelfSignedCertificate made, MakeSelfSignedCertificate());
  CONNBENCH_RETURN_IF_ERROR(WriteFile(folder + "/server.crt", made.certificate_pem, 0644));
  return WriteFile(folder + "/server.key", made.key_pem, 0600);
}

}  // namespace connbench::protocol
