// SPDX-License-Identifier: MIT
#pragma once
// net/tls_trouble: what OpenSSL's queue of errors says, and what a peer's alert means, in words.

#include "net/asio.hpp"

#include <string>
#include <string_view>
#include <system_error>

namespace postrider::net {

/// Errors whose value is an alert that the peer sent (RFC 8446 §6). Their condition is error::tls_failed.
const std::error_category& tls_alert_category() noexcept;

/// "certificate expired", as the RFCs name it; "alert 99" for what they do not.
std::string alert_name(int alert);

/// What an alert says about us, where its name does not: "it wants a certificate of ours". Or nothing.
std::string_view alert_meaning(int alert) noexcept;

/// What made an operation of OpenSSL's fail.
class tls_trouble {
public:
    tls_trouble() = default;

    /// Takes it from the calling thread's queue, and empties that.
    static tls_trouble take();

    bool found() const noexcept { return value_ != 0; }
    bool is_alert() const noexcept;       ///< which the peer sent
    int alert() const noexcept;           ///< of one that is
    bool is_version() const noexcept;     ///< no version of TLS is spoken by both sides
    bool is_certificate() const noexcept; ///< the peer's certificate did not pass

    std::string words() const;
    error_code code() const;

private:
    unsigned long value_ = 0;
};

} // namespace postrider::net
