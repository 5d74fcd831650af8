// SPDX-License-Identifier: MIT
// delivery/server: reading what a person writes for a server.

#include "postrider/server.hpp"

#include "base/text.hpp"
#include "net/endpoint.hpp"
#include "postrider/address.hpp"

#include <charconv>
#include <stdexcept>

namespace postrider {
namespace {

constexpr std::uint16_t smtp_port = 25;

result<std::uint16_t> parse_port(std::string_view text, std::size_t at)
{
    unsigned port = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (ec != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
        return problem{"'" + base::escaped(text, 64) + "' is no port: a number from 1 to 65535 is needed",
                       at};
    return static_cast<std::uint16_t>(port);
}

} // namespace

result<server> server::parse(std::string_view text)
{
    if (text.starts_with("unix:") || text.starts_with("[") || text.find(':') != text.rfind(':')) {
        const auto place = net::endpoint::parse(text, smtp_port);
        if (!place)
            return place.problem();
        if (place->is_unix())
            return server("unix:" + place->path(), 0);
        if (place->port() == 0)
            return problem{"port 0 cannot be connected to"};
        return server(place->address().to_string(), place->port());
    }
    std::uint16_t port = smtp_port;
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) {
        const auto given = parse_port(text.substr(colon + 1), colon + 1);
        if (!given)
            return given.problem();
        port = *given;
    }
    const std::string_view host = text.substr(0, colon);
    if (host.empty())
        return problem{"a server needs a name or an address", 0};
    boost::system::error_code ec;
    const auto address = boost::asio::ip::make_address(std::string(host), ec);
    if (!ec)
        return server(address.to_string(), port);
    auto name = parse_domain(host);
    if (!name)
        return name.problem();
    return server(*std::move(name), port);
}

server::server(std::string_view text)
    : server([text] {
          auto parsed = parse(text);
          if (!parsed)
              throw std::invalid_argument("'" + base::escaped(text, 128) +
                                          "' is no server: " + parsed.problem().what);
          return *std::move(parsed);
      }())
{
}

std::string server::to_string() const
{
    if (is_unix())
        return host_;
    const bool v6 = host_.find(':') != std::string::npos;
    return (v6 ? "[" + host_ + "]" : host_) + ":" + std::to_string(port_);
}

} // namespace postrider
