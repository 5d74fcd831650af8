// SPDX-License-Identifier: MIT
#pragma once
// net/tls_identity: whom a server's certificate has to be for: a host's name, or an address.

#include "postrider/result.hpp"

#include <boost/asio/ip/address.hpp>

#include <openssl/ssl.h>

#include <optional>
#include <string>
#include <string_view>

namespace postrider::net {

class tls_identity {
public:
    /// Reads "mail.example.org" (U-labels become A-labels, a final dot goes), "192.0.2.1", "2001:db8::1",
    /// and the two in brackets.
    static result<tls_identity> parse(std::string_view host);

    const std::string& text() const noexcept { return text_; }
    bool is_address() const noexcept { return address_.has_value(); }

    /// Asks for it (SNI, RFC 6066 §3: names only), and has the certificate checked against it if
    /// `verified` (RFC 9525: wildcards for one whole label; the subject's common name counts for nothing).
    /// False: out of memory.
    bool apply(SSL& session, bool verified) const;

private:
    std::string text_;
    std::optional<boost::asio::ip::address> address_;
};

} // namespace postrider::net
