// SPDX-License-Identifier: MIT
// app/destination: hosts, their addresses, and why none of them would do.

#include "app/destination.hpp"

#include "base/text.hpp"
#include "net/address_lookup.hpp"
#include "net/connector.hpp"
#include "net/use.hpp"
#include "net/watchdog.hpp"
#include "policy/mx_order.hpp"
#include "postrider/error.hpp"

#include <boost/asio/ip/address.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

namespace postrider::app {
namespace {

constexpr std::size_t named_max = 4; // hosts, and addresses of each, in a sentence

std::string place_of(const std::string& host, std::uint16_t port)
{
    return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                               : fmt::format("[{}]:{}", host, port);
}

// What is written behind the first few of many.
std::string others(std::size_t all, std::string_view what)
{
    return all > named_max ? fmt::format(" and {} more {}", all - named_max, what) : std::string();
}

std::string words_for(const policy::connect_failure& f)
{
    if (f.why == error::timed_out || f.why == std::errc::timed_out)
        return f.waited.count() == 0
                   ? std::string("no answer")
                   : fmt::format("no answer within {}", base::counted(f.waited.count(), "second"));
    return f.why.message();
}

// Neighbours that failed alike share the reason: "(192.0.2.1:25, 192.0.2.2:25): Connection refused".
std::string reasons(const std::string& place, std::span<const policy::connect_failure> all)
{
    if (all.size() == 1 && all.front().address == place)
        return ": " + words_for(all.front());
    std::string text;
    const auto named = all.first(std::min(all.size(), named_max));
    for (std::size_t i = 0; i < named.size(); ++i) {
        const bool first = i == 0 || words_for(named[i - 1]) != words_for(named[i]);
        const bool last = i + 1 == named.size() || words_for(named[i + 1]) != words_for(named[i]);
        text += first ? (i == 0 ? " (" : "; (") : ", ";
        text += named[i].address;
        if (last)
            text += "): " + words_for(named[i]);
    }
    return text + others(all.size(), "addresses");
}

arrival failed(error why, std::string sentence)
{
    arrival a;
    a.error = make_error_code(why);
    a.sentence = std::move(sentence);
    return a;
}

arrival was_cancelled(const std::string& place)
{
    return failed(error::cancelled, fmt::format("connecting to {} was cancelled", place));
}

// Without descriptors or memory no other address would do better, and the caller wants to know.
std::error_code meaning_of(std::span<const policy::connect_failure> all)
{
    for (const policy::connect_failure& f : all)
        if (f.why == std::errc::too_many_files_open || f.why == std::errc::too_many_files_open_in_system ||
            f.why == std::errc::no_buffer_space || f.why == std::errc::not_enough_memory)
            return f.why;
    return make_error_code(error::unreachable);
}

asio::awaitable<policy::host_addresses> addresses_of(std::shared_ptr<net::environment> world,
                                                     std::string host, std::chrono::milliseconds limit)
{
    boost::system::error_code ec;
    asio::ip::make_address(host, ec);
    policy::host_addresses found;
    if (!ec) {
        found.addresses.push_back(host);
        co_return found;
    }
    const auto name = dns::name::parse(host);
    if (!name) {
        found.trouble = policy::trouble{verdict::refused, {5, 1, 2}, name.problem().what};
        co_return found;
    }
    policy::exchanger asked;
    asked.host = host;
    asked.given = true;
    const net::address_answers answers =
        co_await net::async_look_up_addresses(std::move(world), *name, limit, net::use);
    found = policy::decide_addresses(asked, answers.aaaa, answers.a);
    co_return found;
}

asio::awaitable<arrival> connect_to(std::shared_ptr<net::environment> world, std::string place,
                                    std::string host, std::vector<net::endpoint> ends,
                                    std::chrono::milliseconds limit)
{
    if (const bool stopped = co_await net::is_cancelled(); stopped) {
        arrival a = was_cancelled(place);
        co_return a;
    }
    net::connect_limits limits;
    limits.each = limits.total = limit;
    net::connect_result tried =
        co_await net::async_connect_any(std::move(world), std::move(host), std::move(ends), limits, net::use);
    arrival a;
    if (tried.cancelled) {
        a = was_cancelled(place);
    } else if (tried.made) {
        a.made = std::move(tried.made);
    } else {
        a.error = meaning_of(tried.failures);
        a.sentence = fmt::format("cannot connect to {}{}", place, reasons(place, tried.failures));
    }
    co_return a;
}

asio::awaitable<arrival> reach_host(std::shared_ptr<net::environment> world, std::string host,
                                    std::uint16_t port, std::chrono::milliseconds limit)
{
    const std::string place = place_of(base::escaped(host, 255), port);
    const net::time_point began = world->now();
    const policy::host_addresses found = co_await addresses_of(world, host, limit);
    if (found.trouble) {
        arrival a = failed(error::lookup_failed,
                           fmt::format("cannot connect to {}: {}", place, found.trouble->sentence));
        if (const bool stopped = co_await net::is_cancelled(); stopped)
            a = was_cancelled(place);
        co_return a;
    }
    std::vector<net::endpoint> ends;
    for (const std::string& address : found.addresses)
        ends.emplace_back(asio::ip::make_address(address), port);
    const auto gone = std::chrono::duration_cast<std::chrono::milliseconds>(world->now() - began);
    const auto left = std::max(limit - gone, std::chrono::milliseconds(1));
    arrival a = co_await connect_to(std::move(world), place, std::move(host), std::move(ends), left);
    co_return a;
}

arrival cannot_begin_tls(const std::string& place, const std::system_error& e)
{
    arrival a;
    a.error = e.code();
    a.sentence = fmt::format("cannot connect to {}: {}", place, e.what());
    return a;
}

// The handshake. Whoever is silent in it meets the watchdog, which ends the attempt as its owner would.
asio::awaitable<arrival> secure(std::shared_ptr<net::stop_signal> stop,
                                std::shared_ptr<net::environment> world, destination where,
                                std::unique_ptr<stream> plain, std::chrono::milliseconds limit)
{
    std::string place = where.to_string();
    if (const std::string peer = plain->peer(); peer != place)
        place += " (" + peer + ")";
    arrival a;
    try {
        if (!where.tls->context)
            where.tls->context = net::make_tls_context(where.tls->how);
    } catch (const std::system_error& e) {
        a = cannot_begin_tls(place, e);
    }
    if (a.error)
        co_return a;
    if (stop->wanted()) {
        a = was_cancelled(place);
        co_return a;
    }
    bool late = false;
    net::watchdog dog(world, [&late, stop] {
        late = true;
        stop->emit();
    });
    dog.watch(world->now() + limit);
    net::tls_result secured =
        co_await net::async_start_tls(std::move(plain), where.tls->context, where.hosts.front(), net::use);
    dog.rest();
    if (late)
        a = failed(error::timed_out,
                   fmt::format("cannot connect to {}: no end of the TLS handshake within {} ms", place,
                               limit.count()));
    else if (stop->wanted())
        a = was_cancelled(place);
    else if (secured.made)
        a.made = std::move(secured.made);
    else
        a = failed(error::tls_failed, fmt::format("cannot connect to {}: {}", place, secured.sentence));
    if (!late && !stop->wanted() && secured.error)
        a.error = secured.error;
    co_return a;
}

asio::awaitable<arrival> reach_one_of(std::shared_ptr<net::environment> world, destination where,
                                      std::chrono::milliseconds limit)
{
    const net::time_point end = world->now() + limit;
    std::string sentences;
    arrival last;
    for (std::size_t i = 0; i < where.hosts.size(); ++i) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - world->now());
        const auto turns = static_cast<std::int64_t>(where.hosts.size() - i);
        const auto turn = std::max(left / turns, std::chrono::milliseconds(1));
        last = co_await reach_host(world, where.hosts[i], where.port, turn);
        if (last.made || last.error == error::cancelled)
            co_return last;
        if (i < named_max)
            sentences += (i == 0 ? "" : "; ") + last.sentence;
    }
    last.sentence = sentences + others(where.hosts.size(), "hosts");
    co_return last;
}

} // namespace

std::string destination::to_string() const
{
    if (!path.empty())
        return "unix:" + path;
    std::string text;
    for (std::size_t i = 0; i < std::min(hosts.size(), named_max); ++i)
        text += (i == 0 ? "" : ", ") + place_of(hosts[i], port);
    return text + others(hosts.size(), "hosts");
}

std::string destination::missing() const
{
    if (!path.empty())
        return path.size() > net::socket_path_octets_max || path.find('\0') != std::string::npos
                   ? fmt::format(
                         "'{}' cannot be the path of a Unix socket: it has {} octets, and {} is the most",
                         base::escaped(path, 160), path.size(), net::socket_path_octets_max)
                   : std::string();
    if (hosts.empty() || std::find(hosts.begin(), hosts.end(), std::string()) != hosts.end())
        return "the client has no address: tcp_client(host, port, factory) needs a host name or an IP "
               "address";
    if (port == 0)
        return fmt::format("the client has no port: tcp_client(host, port, factory) needs the one that {} "
                           "listens on",
                           base::escaped(hosts.front(), 255));
    return {};
}

asio::awaitable<arrival> reach(std::shared_ptr<net::stop_signal> stop,
                               std::shared_ptr<net::environment> world, destination where,
                               std::chrono::milliseconds limit)
{
    co_await net::begin(stop);
    if (std::string sentence = where.missing(); !sentence.empty()) {
        arrival a = failed(error::invalid_argument, std::move(sentence));
        co_return a;
    }
    if (const bool stopped = co_await net::is_cancelled(); stopped) {
        arrival a = was_cancelled(where.to_string());
        co_return a;
    }
    if (!where.path.empty()) {
        std::vector<net::endpoint> ends(1, net::endpoint::at_path(where.path));
        const std::string place = where.to_string();
        arrival a = co_await connect_to(std::move(world), place, place, std::move(ends), limit);
        co_return a;
    }
    const net::time_point began = world->now();
    arrival a = co_await reach_one_of(world, where, limit);
    if (a.made && where.tls) {
        const auto gone = std::chrono::duration_cast<std::chrono::milliseconds>(world->now() - began);
        const auto left = std::max(limit - gone, std::chrono::milliseconds(1));
        a = co_await secure(std::move(stop), std::move(world), std::move(where), std::move(a.made), left);
    }
    co_return a;
}

} // namespace postrider::app
