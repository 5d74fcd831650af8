// SPDX-License-Identifier: MIT
// net/tls_trouble: one table of alerts, and the readers of OpenSSL's numbers.

#include "net/tls_trouble.hpp"

#include "postrider/error.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

namespace postrider::net {
namespace {

struct alert_row {
    int number;
    std::string_view name;
    std::string_view meaning;
};

// RFC 8446 §6, RFC 5246 §7.2 and what was added between them. OpenSSL has names too, but not all of them.
constexpr std::array alerts{
    alert_row{0, "close notify", ""},
    alert_row{10, "unexpected message", ""},
    alert_row{20, "bad record mac", "what it received was damaged"},
    alert_row{21, "decryption failed", ""},
    alert_row{22, "record overflow", ""},
    alert_row{30, "decompression failure", ""},
    alert_row{40, "handshake failure", "it accepts none of the ways to encrypt that this side offers"},
    alert_row{41, "no certificate", ""},
    alert_row{42, "bad certificate", "it cannot accept the certificate of this side"},
    alert_row{43, "unsupported certificate", "it cannot use a certificate of the kind this side has"},
    alert_row{44, "certificate revoked", "the certificate of this side was revoked"},
    alert_row{45, "certificate expired", "the certificate of this side has expired, or is not valid yet"},
    alert_row{46, "certificate unknown", "it cannot accept the certificate of this side"},
    alert_row{47, "illegal parameter", ""},
    alert_row{48, "unknown ca", "it does not trust who signed the certificate of this side"},
    alert_row{49, "access denied", ""},
    alert_row{50, "decode error", ""},
    alert_row{51, "decrypt error", ""},
    alert_row{60, "export restriction", ""},
    alert_row{70, "protocol version", "it speaks no version of TLS that this side does"},
    alert_row{71, "insufficient security", "it wants stronger ways to encrypt than this side offers"},
    alert_row{80, "internal error", "something is wrong at its side"},
    alert_row{86, "inappropriate fallback", ""},
    alert_row{90, "user canceled", ""},
    alert_row{100, "no renegotiation", ""},
    alert_row{109, "missing extension", ""},
    alert_row{110, "unsupported extension", ""},
    alert_row{112, "unrecognized name", "it knows nothing of the name that it was asked for"},
    alert_row{113, "bad certificate status response", ""},
    alert_row{115, "unknown psk identity", ""},
    alert_row{116, "certificate required", "it wants a certificate of this side"},
    alert_row{120, "no application protocol", ""},
};

const alert_row* row_of(int alert) noexcept
{
    const auto found =
        std::find_if(alerts.begin(), alerts.end(), [&](const alert_row& r) { return r.number == alert; });
    return found == alerts.end() ? nullptr : &*found;
}

std::string alert_sentence(int alert)
{
    const std::string_view meaning = alert_meaning(alert);
    return "the peer ended TLS: " + alert_name(alert) +
           (meaning.empty() ? std::string() : ": " + std::string(meaning));
}

class alert_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "tls alert"; }
    std::string message(int alert) const override { return alert_sentence(alert); }
    std::error_condition default_error_condition(int) const noexcept override
    {
        return {static_cast<int>(error::tls_failed), postrider::error_category()};
    }
};

} // namespace

const std::error_category& tls_alert_category() noexcept
{
    static const alert_category the_one;
    return the_one;
}

std::string alert_name(int alert)
{
    const alert_row* row = row_of(alert);
    return row ? std::string(row->name) : "alert " + std::to_string(alert);
}

std::string_view alert_meaning(int alert) noexcept
{
    const alert_row* row = row_of(alert);
    return row ? row->meaning : std::string_view();
}

// The first error is the cause; what stands behind it is who passed it on.
tls_trouble tls_trouble::take()
{
    tls_trouble taken;
    taken.value_ = ERR_get_error();
    ERR_clear_error();
    return taken;
}

bool tls_trouble::is_alert() const noexcept
{
    return ERR_GET_LIB(value_) == ERR_LIB_SSL && ERR_GET_REASON(value_) >= SSL_AD_REASON_OFFSET;
}

int tls_trouble::alert() const noexcept { return ERR_GET_REASON(value_) - SSL_AD_REASON_OFFSET; }

bool tls_trouble::is_version() const noexcept
{
    constexpr std::array reasons{SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_SSL_VERSION, SSL_R_VERSION_TOO_LOW,
                                 SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION};
    return ERR_GET_LIB(value_) == ERR_LIB_SSL &&
           std::find(reasons.begin(), reasons.end(), ERR_GET_REASON(value_)) != reasons.end();
}

bool tls_trouble::is_certificate() const noexcept
{
    return ERR_GET_LIB(value_) == ERR_LIB_SSL && ERR_GET_REASON(value_) == SSL_R_CERTIFICATE_VERIFY_FAILED;
}

std::string tls_trouble::words() const
{
    const char* reason = value_ == 0 ? nullptr : ERR_reason_error_string(value_);
    return reason ? reason : "no reason is known";
}

error_code tls_trouble::code() const
{
    if (is_alert())
        return std::error_code(alert(), tls_alert_category());
    return make_error_code(is_certificate() ? error::certificate_refused : error::tls_failed);
}

} // namespace postrider::net
