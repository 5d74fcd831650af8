// SPDX-License-Identifier: MIT
#pragma once
// base/error: how a conversation can break, one value for each meaning.
//
// A server that says no is no error: its reply is in the report. These are for what ends a
// connection, or an operation that could not begin.

#include <system_error>
#include <type_traits>

namespace postrider {

enum class error {
    connection_lost = 1,   ///< the peer closed or reset the connection
    timed_out,             ///< the peer said nothing, or took nothing, for as long as it may
    cancelled,             ///< the caller asked for the end
    protocol_broken,       ///< the peer said what no SMTP server may say
    out_of_step,           ///< the peer answered what was not asked
    server_unavailable,    ///< 421, or a greeting or hello that was refused
    body_failed,           ///< the message's source could not be read to its end
    eight_bit_body,        ///< the body has 8-bit octets and the server does not offer 8BITMIME
    operation_in_progress, ///< one operation at a time on one object
    not_connected,         ///< send before connect, or after the connection was closed
    not_deliverable,       ///< at least one recipient could not be served: see the report
    lookup_failed,         ///< the server's name could not be resolved
    unreachable,           ///< no address of the server accepted a connection
    invalid_argument,      ///< a parameter that cannot be used; the report's text says which
    tls_failed,            ///< no encrypted connection came about, or it broke; the report's text says how
    certificate_refused,   ///< the peer's certificate did not pass; the report's text says why
    tls_truncated,         ///< the connection ended before TLS did: what came may be cut short
};

const std::error_category& error_category() noexcept;
inline std::error_code make_error_code(error e) noexcept { return {static_cast<int>(e), error_category()}; }

} // namespace postrider

template <>
struct std::is_error_code_enum<postrider::error> : std::true_type {};
