// SPDX-License-Identifier: MIT
#pragma once
// delivery/server: one server that mail is handed to, by name, address or path.

#include "postrider/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace postrider {

class server {
public:
    /// "mail.example.org", "mail.example.org:2525", "192.0.2.1", "192.0.2.1:25", "[2001:db8::1]:25",
    /// "unix:/run/smtp". Without a port it is 25.
    static result<server> parse(std::string_view text);

    /// As parse(), but throws std::invalid_argument with the problem's sentence.
    explicit server(std::string_view text);

    const std::string& host() const noexcept
    {
        return host_;
    } ///< name or address, without brackets; or "unix:/path"
    std::uint16_t port() const noexcept { return port_; } ///< 0 for a Unix socket
    bool is_unix() const noexcept { return port_ == 0; }
    std::string to_string() const; ///< "mail.example.org:25", "[2001:db8::1]:25"

private:
    server(std::string host, std::uint16_t port) : host_(std::move(host)), port_(port) {}

    std::string host_;
    std::uint16_t port_;
};

} // namespace postrider
