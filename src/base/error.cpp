// SPDX-License-Identifier: MIT
// base/error: the sentences of the error category.

#include "postrider/error.hpp"

#include <string>

namespace postrider {
namespace {

class category final : public std::error_category {
public:
    const char* name() const noexcept override { return "postrider"; }

    std::string message(int value) const override
    {
        switch (static_cast<error>(value)) {
        case error::connection_lost: return "connection lost";
        case error::timed_out: return "timed out";
        case error::cancelled: return "cancelled";
        case error::protocol_broken: return "the server broke the protocol";
        case error::out_of_step: return "the server answered what was not asked";
        case error::server_unavailable: return "the server is not available";
        case error::body_failed: return "the message could not be read to its end";
        case error::eight_bit_body:
            return "the message has 8-bit octets and the server does not offer 8BITMIME";
        case error::operation_in_progress: return "another operation is in progress on this object";
        case error::not_connected: return "not connected";
        case error::not_deliverable: return "not every recipient could be served";
        case error::lookup_failed: return "the name could not be resolved";
        case error::unreachable: return "no address accepted a connection";
        case error::invalid_argument: return "invalid argument";
        case error::tls_failed: return "TLS failed";
        case error::certificate_refused: return "the certificate was refused";
        case error::tls_truncated:
            return "the connection ended without the end of TLS (close_notify): what came may be cut short";
        }
        return "unknown error " + std::to_string(value);
    }

    std::error_condition default_error_condition(int value) const noexcept override
    {
        switch (static_cast<error>(value)) {
        case error::timed_out: return std::errc::timed_out;
        case error::cancelled: return std::errc::operation_canceled;
        case error::connection_lost:
        case error::tls_truncated: return std::errc::connection_reset;
        case error::invalid_argument: return std::errc::invalid_argument;
        default: return {value, *this};
        }
    }
};

} // namespace

const std::error_category& error_category() noexcept
{
    static const category the_one;
    return the_one;
}

} // namespace postrider
