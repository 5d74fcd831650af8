// SPDX-License-Identifier: MIT
// net/endpoint: the text form is cut at the colon before the port, then each piece is read by itself.

#include "net/endpoint.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace postrider::net {

namespace {

constexpr std::string_view unix_prefix = "unix:";

/// An endpoint's text, cut where the address ends and the port begins.
struct pieces {
    std::string_view address;
    std::optional<std::string_view> port;
    std::size_t port_at = 0;
    bool bracketed = false;
};

problem complain(std::string_view text, std::string_view what, std::size_t at)
{
    return problem{fmt::format("\"{}\" is not an address and a port: {}", base::escaped(text, 80), what), at};
}

result<pieces> cut_bracketed(std::string_view text)
{
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) {
        return complain(text, "the bracket is not closed", 0);
    }
    pieces p{text.substr(1, end - 1), std::nullopt, end + 2, true};
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty()) {
        if (rest.front() != ':') {
            return complain(text, "after the closing bracket comes a colon and the port", end + 1);
        }
        p.port = rest.substr(1);
    }
    return p;
}

result<pieces> cut(std::string_view text)
{
    if (text.starts_with('[')) {
        return cut_bracketed(text);
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
        return pieces{text, std::nullopt, 0, false}; // no port, or an IPv6 address without brackets
    }
    return pieces{text.substr(0, colon), text.substr(colon + 1), colon + 1, false};
}

std::optional<std::uint16_t> read_port(std::string_view digits)
{
    std::uint16_t port = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, port);
    if (digits.empty() || error != std::errc{} || stop != end) {
        return std::nullopt;
    }
    return port;
}

result<endpoint> parse_unix(std::string_view text)
{
    const std::string_view path = text.substr(unix_prefix.size());
    std::string_view wrong;
    if (!path.starts_with('/')) {
        wrong = "the path must begin with a slash";
    } else if (path.size() > socket_path_octets_max) {
        wrong = "the path is longer than the 107 octets that the address of a socket holds";
    } else if (path.find('\0') != std::string_view::npos) {
        wrong = "the path holds a NUL";
    } else {
        return endpoint::at_path(std::string(path));
    }
    return problem{fmt::format("\"{}\" is not a Unix socket: {}", base::escaped(text, 160), wrong),
                   unix_prefix.size()};
}

} // namespace

endpoint::endpoint(boost::asio::ip::address address, std::uint16_t port)
    : place_(inet{std::move(address), port})
{
}

endpoint endpoint::at_path(std::string path) { return endpoint(std::move(path)); }

result<endpoint> endpoint::parse(std::string_view text, std::optional<std::uint16_t> default_port)
{
    if (text.starts_with(unix_prefix)) {
        return parse_unix(text);
    }
    const auto cut_text = cut(text);
    if (!cut_text) {
        return cut_text.problem();
    }
    const pieces& p = *cut_text;

    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(p.address, error);
    // inet_pton stops at a NUL and would take what stands before it.
    if (error || p.address.find('\0') != std::string_view::npos) {
        return complain(text, "an IPv4 address, or an IPv6 address in brackets, is expected",
                        p.bracketed ? 1 : 0);
    }
    if (p.bracketed && !address.is_v6()) {
        return complain(text, "only IPv6 addresses stand in brackets", 1);
    }
    if (!p.port) {
        if (default_port) {
            return endpoint(address, *default_port);
        }
        return complain(text, "the port is missing", text.size());
    }
    const auto port = read_port(*p.port);
    if (!port) {
        return complain(text, "the port is a number from 0 to 65535", p.port_at);
    }
    return endpoint(address, *port);
}

std::string endpoint::to_string() const
{
    if (is_unix()) {
        return fmt::format("{}{}", unix_prefix, path());
    }
    const std::string text = address().to_string();
    return is_v6() ? fmt::format("[{}]:{}", text, port()) : fmt::format("{}:{}", text, port());
}

} // namespace postrider::net
