// SPDX-License-Identifier: MIT
// support/sim_authority: X.509 by OpenSSL, with keys on P-256, which cost nothing to make.

#include "support/sim_authority.hpp"

#include <boost/asio/ip/address.hpp>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <unistd.h>

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace postrider::test {
namespace {

struct key_free {
    void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
};
struct certificate_free {
    void operator()(X509* c) const { X509_free(c); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, key_free>;
using certificate_ptr = std::unique_ptr<X509, certificate_free>;

struct identity {
    key_ptr key;
    certificate_ptr certificate;
};

void check(bool ok, const char* what)
{
    if (!ok)
        throw std::runtime_error(std::string("sim_authority: ") + what);
}

key_ptr new_key()
{
    key_ptr made(EVP_EC_gen("P-256"));
    check(made != nullptr, "no key");
    return made;
}

void add_extension(X509& c, X509& issuer, int what, const std::string& value)
{
    X509V3_CTX context{};
    X509V3_set_ctx(&context, &issuer, &c, nullptr, nullptr, 0);
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    check(made && X509_add_ext(&c, made, -1) == 1, value.c_str());
    X509_EXTENSION_free(made);
}

std::string alternative_names(const std::vector<std::string>& names)
{
    std::string all;
    for (const std::string& name : names) {
        boost::system::error_code ec;
        boost::asio::ip::make_address(name, ec);
        all += (all.empty() ? "" : ",") + std::string(ec ? "DNS:" : "IP:") + name;
    }
    return all;
}

// What all have in common; signing comes last.
identity begin(const std::string& common_name, int from_day, int to_day, long serial)
{
    identity made{new_key(), certificate_ptr(X509_new())};
    X509* const c = made.certificate.get();
    check(c && X509_set_version(c, 2) == 1, "no certificate");
    ASN1_INTEGER_set(X509_get_serialNumber(c), serial);
    X509_time_adj_ex(X509_getm_notBefore(c), from_day, 0, nullptr);
    X509_time_adj_ex(X509_getm_notAfter(c), to_day, 0, nullptr);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(c), NID_commonName, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.data()),
                               static_cast<int>(common_name.size()), -1, 0);
    X509_set_pubkey(c, made.key.get());
    return made;
}

void sign(identity& what, const identity& by)
{
    X509_set_issuer_name(what.certificate.get(), X509_get_subject_name(by.certificate.get()));
    check(X509_sign(what.certificate.get(), by.key.get(), EVP_sha256()) > 0, "not signed");
}

identity new_authority(const std::string& name, const identity* by, long serial)
{
    identity made = begin(name, -10, 3650, serial);
    X509& issuer = by ? *by->certificate : *made.certificate;
    add_extension(*made.certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(*made.certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(*made.certificate, issuer, NID_subject_key_identifier, "hash");
    sign(made, by ? *by : made);
    return made;
}

struct file_close {
    void operator()(std::FILE* f) const { std::fclose(f); }
};
using file_ptr = std::unique_ptr<std::FILE, file_close>;

file_ptr create(const std::filesystem::path& where)
{
    file_ptr made(std::fopen(where.c_str(), "w"));
    check(made != nullptr, where.c_str());
    return made;
}

} // namespace

struct sim_authority::state {
    std::filesystem::path folder;
    identity own, intermediate;
    long serial = 10;
};

sim_authority::sim_authority(const std::string& name) : state_(std::make_unique<state>())
{
    std::string folder = (std::filesystem::temp_directory_path() / "postrider_authority_XXXXXX").string();
    check(::mkdtemp(folder.data()) != nullptr, "no folder");
    state_->folder = folder;
    state_->own = new_authority(name, nullptr, 1);
    state_->intermediate = new_authority(name + " Between", &state_->own, 2);
    check(PEM_write_X509(create(file()).get(), state_->own.certificate.get()) == 1, "not written");
}

sim_authority::~sim_authority()
{
    std::error_code ignored;
    std::filesystem::remove_all(state_->folder, ignored);
}

std::string sim_authority::file() const { return (state_->folder / "authority.pem").string(); }

const std::filesystem::path& sim_authority::folder() const noexcept { return state_->folder; }

sim_authority::files sim_authority::issue(const sim_certificate& what)
{
    const long serial = ++state_->serial;
    identity made = begin(what.common_name, what.from_day, what.to_day, serial);
    const identity& by = what.self_signed ? made : what.by_intermediate ? state_->intermediate : state_->own;
    if (!what.names.empty())
        add_extension(*made.certificate, *by.certificate, NID_subject_alt_name,
                      alternative_names(what.names));
    add_extension(*made.certificate, *by.certificate, NID_basic_constraints, "critical,CA:FALSE");
    sign(made, by);

    files all{(state_->folder / fmt::format("{}.pem", serial)).string(),
              (state_->folder / fmt::format("{}.key", serial)).string()};
    const file_ptr chain = create(all.certificate);
    check(PEM_write_X509(chain.get(), made.certificate.get()) == 1, "not written");
    if (what.by_intermediate && what.with_intermediate)
        check(PEM_write_X509(chain.get(), state_->intermediate.certificate.get()) == 1, "not written");
    check(PEM_write_PrivateKey(create(all.key).get(), made.key.get(), nullptr, nullptr, 0, nullptr,
                               nullptr) == 1,
          "not written");
    return all;
}

std::string sim_authority::lock(const std::string& key_file, const std::string& passphrase)
{
    const file_ptr from(std::fopen(key_file.c_str(), "r"));
    check(from != nullptr, key_file.c_str());
    const key_ptr key(PEM_read_PrivateKey(from.get(), nullptr, nullptr, nullptr));
    const std::string locked = key_file + ".locked";
    check(key &&
              PEM_write_PKCS8PrivateKey(create(locked).get(), key.get(), EVP_aes_256_cbc(), passphrase.data(),
                                        static_cast<int>(passphrase.size()), nullptr, nullptr) == 1,
          "not written");
    return locked;
}

} // namespace postrider::test
