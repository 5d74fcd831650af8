// SPDX-License-Identifier: MIT
// net/tls_context: files into OpenSSL, and what can be wrong with them.

#include "net/tls_context.hpp"

#include "net/tls_refusal.hpp"
#include "net/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <filesystem>
#include <new>
#include <system_error>

namespace postrider::net {
namespace {

enum class file_problem { no_certificate = 1, no_key, passphrase, other_key, weak, other };

class file_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "tls file"; }

    std::string message(int value) const override
    {
        switch (static_cast<file_problem>(value)) {
        case file_problem::no_certificate: return "there is no certificate in PEM in it";
        case file_problem::no_key: return "there is no private key in PEM in it";
        case file_problem::passphrase:
            return "it is protected by a passphrase, which nobody can be asked for";
        case file_problem::other_key: return "it does not belong to the certificate";
        case file_problem::weak: return "it is too weak to be accepted by anybody";
        case file_problem::other: break;
        }
        return "it cannot be used";
    }

    std::error_condition default_error_condition(int) const noexcept override
    {
        return std::errc::invalid_argument;
    }
};

std::error_code code_of(file_problem what)
{
    static const file_category category;
    return {static_cast<int>(what), category};
}

// What OpenSSL could not do with a file. `otherwise`: if it is not one of the plain reasons.
std::error_code file_trouble(const std::string& file, file_problem otherwise)
{
    const unsigned long value = ERR_peek_error();
    std::error_code found = code_of(otherwise), ignored;
    if (std::filesystem::is_directory(file, ignored)) {
        found = std::make_error_code(std::errc::is_a_directory);
    } else if (ERR_SYSTEM_ERROR(value)) {
        found = {ERR_GET_REASON(value), std::generic_category()};
    } else if (ERR_GET_LIB(value) == ERR_LIB_SSL) {
        switch (ERR_GET_REASON(value)) {
        case SSL_R_CA_KEY_TOO_SMALL:
        case SSL_R_CA_MD_TOO_WEAK:
        case SSL_R_EE_KEY_TOO_SMALL: found = code_of(file_problem::weak); break;
        default: break;
        }
    } else if (ERR_GET_LIB(value) == ERR_LIB_X509) {
        switch (ERR_GET_REASON(value)) {
        case X509_R_KEY_VALUES_MISMATCH:
        case X509_R_KEY_TYPE_MISMATCH: found = code_of(file_problem::other_key); break;
        default: break;
        }
    }
    ERR_clear_error();
    return found;
}

// Without one of our own OpenSSL asks on the terminal.
int on_passphrase(char*, int, int, void* asked) noexcept
{
    *static_cast<bool*>(asked) = true;
    return -1;
}

} // namespace

tls_context::tls_context(const tls_client_settings& how)
    : context_(SSL_CTX_new(TLS_client_method())), client_(true), verifies_(how.verify()), name_(how.name()),
      trust_(how.trust())
{
    set_rules();
    if (verifies_)
        load_trust();
    if (!how.certificate_file().empty())
        load_own(how.certificate_file(), how.key_file());
}

tls_context::tls_context(const tls_server_settings& how)
    : context_(SSL_CTX_new(TLS_server_method())), client_(false)
{
    set_rules();
    load_own(how.certificate_file(), how.key_file());
}

void tls_context::set_rules()
{
    SSL_CTX* const c = context_.get();
    if (!c || SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) != 1)
        throw std::bad_alloc();
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    if (!client_) {
        SSL_CTX_set_num_tickets(c, 0);
        SSL_CTX_set_dh_auto(c, 1);
    }
    // Whoever is idle holds no buffers. Read ahead: a record and its head in one call of the system's.
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(c, 1);
    if (client_)
        SSL_CTX_set_verify(c, verifies_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, &tls_refusal::on_verified);
}

void tls_context::load_own(const std::string& certificate_file, const std::string& key_file)
{
    SSL_CTX* const c = context_.get();
    bool asked = false;
    SSL_CTX_set_default_passwd_cb(c, &on_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(c, &asked);
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(c, certificate_file.c_str()) != 1)
        throw std::system_error(file_trouble(certificate_file, file_problem::no_certificate),
                                "the certificate " + certificate_file);
    if (SSL_CTX_use_PrivateKey_file(c, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        const std::error_code why = file_trouble(key_file, file_problem::no_key);
        throw std::system_error(asked ? code_of(file_problem::passphrase) : why, "the key " + key_file);
    }
    if (SSL_CTX_check_private_key(c) != 1)
        throw std::system_error(file_trouble(key_file, file_problem::other_key), "the key " + key_file);
    SSL_CTX_set_default_passwd_cb_userdata(c, nullptr);
    SSL_CTX_set_default_passwd_cb(c, nullptr);
}

void tls_context::load_trust()
{
    SSL_CTX* const c = context_.get();
    ERR_clear_error();
    if (trust_.empty()) {
        if (SSL_CTX_set_default_verify_paths(c) != 1)
            throw std::system_error(file_trouble(trust_, file_problem::other),
                                    "the trusted certificates of this host");
        return;
    }
    if (SSL_CTX_load_verify_file(c, trust_.c_str()) != 1)
        throw std::system_error(file_trouble(trust_, file_problem::no_certificate),
                                "the trusted certificates " + trust_);
    // Whoever names a file trusts what is in it, whether or not it is at the end of a chain.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(c), X509_V_FLAG_PARTIAL_CHAIN);
}

ssl_ptr tls_context::new_session() const
{
    ssl_ptr made(SSL_new(context_.get()));
    if (!made)
        throw std::bad_alloc();
    if (client_)
        SSL_set_connect_state(made.get());
    else
        SSL_set_accept_state(made.get());
    return made;
}

std::shared_ptr<tls_context> make_tls_context(const tls_client_settings& how)
{
    return std::make_shared<tls_context>(how);
}

std::shared_ptr<tls_context> make_tls_context(const tls_server_settings& how)
{
    return std::make_shared<tls_context>(how);
}

} // namespace postrider::net
