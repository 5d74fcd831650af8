// SPDX-License-Identifier: MIT
#pragma once
// net/endpoint: where to connect to or listen: an IP address and a port, or the path of a Unix socket.
//
// Text form: "192.0.2.1:25", "[2001:db8::1]:25", "unix:/run/lmtp". Addresses only, never names: a
// name is a question for the resolver, with an answer that policy has to weigh.

#include "postrider/result.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace postrider::net {

/// The longest path that the address of a Unix socket holds (sun_path, without its NUL).
inline constexpr std::size_t socket_path_octets_max = 107;

class endpoint {
public:
    endpoint(boost::asio::ip::address address, std::uint16_t port);

    /// A Unix socket. The path must be one that parse() would take.
    static endpoint at_path(std::string path);

    /// Reads the text form. Without `default_port` the port must be there; with it, "192.0.2.1",
    /// "[2001:db8::1]" and "2001:db8::1" are understood as well. Port 0 is read: a listener means
    /// "any free port" by it.
    static result<endpoint> parse(std::string_view text,
                                  std::optional<std::uint16_t> default_port = std::nullopt);

    bool is_unix() const noexcept { return std::holds_alternative<std::string>(place_); }
    bool is_v4() const noexcept { return !is_unix() && std::get<inet>(place_).address.is_v4(); }
    bool is_v6() const noexcept { return !is_unix() && std::get<inet>(place_).address.is_v6(); }

    /// Of an endpoint that is not a Unix socket.
    const boost::asio::ip::address& address() const { return std::get<inet>(place_).address; }
    std::uint16_t port() const { return std::get<inet>(place_).port; }

    /// Of a Unix socket.
    const std::string& path() const { return std::get<std::string>(place_); }

    /// The text form, which parse() reads back to an equal endpoint.
    std::string to_string() const;

    friend bool operator==(const endpoint&, const endpoint&) = default;

private:
    struct inet {
        boost::asio::ip::address address;
        std::uint16_t port;
        friend bool operator==(const inet&, const inet&) = default;
    };

    explicit endpoint(std::string path) : place_(std::move(path)) {}

    std::variant<inet, std::string> place_;
};

} // namespace postrider::net
