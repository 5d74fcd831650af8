// SPDX-License-Identifier: MIT
// delivery/arrival: names, addresses, the greeting.

#include "delivery/arrival.hpp"

#include "delivery/operation.hpp"
#include "net/address_lookup.hpp"
#include "net/use.hpp"
#include "policy/mx_order.hpp"
#include "postrider/error.hpp"

#include <fmt/format.h>

#include <optional>
#include <stdexcept>
#include <utility>

namespace postrider::delivery {
namespace {

// A server that is named by an address, or by the path of a socket, needs no DNS.
std::optional<net::endpoint> endpoint_of(const server& where)
{
    if (where.is_unix())
        return *net::endpoint::parse(where.host());
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(where.host(), ec);
    if (ec)
        return std::nullopt;
    return net::endpoint(address, where.port());
}

arrival failed(arrival so_far, phase where, std::error_code error, policy::trouble meaning)
{
    so_far.link.reset();
    so_far.error = error;
    so_far.report.where = where;
    so_far.report.why = meaning.sentence;
    so_far.report.meaning = meaning.verdict;
    if (meaning.status.status != 0)
        so_far.report.status = meaning.status;
    so_far.meaning = std::move(meaning);
    return so_far;
}

arrival was_cancelled(arrival so_far, phase where)
{
    policy::trouble t;
    t.verdict = verdict::untried;
    t.sentence = fmt::format("cancelled while connecting to {}", so_far.report.host);
    return failed(std::move(so_far), where, make_error_code(error::cancelled), std::move(t));
}

arrival is_invalid(arrival so_far, const std::string& sentence)
{
    policy::trouble t;
    t.verdict = verdict::untried;
    t.sentence = sentence;
    return failed(std::move(so_far), phase::none, make_error_code(error::invalid_argument), std::move(t));
}

// Why the settings cannot be used, before anything is done with them.
std::optional<std::string> why_not(net::environment& world, const settings& how)
{
    try {
        (void)checked_name(how);
        if (!how.dns_servers().empty())
            (void)world.names(); // one that is no server must be heard of now
    } catch (const std::invalid_argument& x) {
        return x.what();
    }
    return std::nullopt;
}

// Greeting and EHLO over a stream that stands; the settings have been checked.
asio::awaitable<arrival> greet(std::shared_ptr<net::environment> world, std::unique_ptr<stream> over,
                               settings how, arrival so_far)
{
    so_far.report.peer = over->peer();
    so_far.link = std::make_unique<connection>(std::move(world), std::move(over), so_far.report.host,
                                               checked_name(how), how);
    const std::optional<smtp::session_failure> broke = co_await so_far.link->start();
    if (broke && broke->error == error::cancelled) {
        arrival a = was_cancelled(std::move(so_far), broke->where);
        co_return a;
    }
    if (broke) {
        if (broke->said)
            so_far.report.said = *broke->said;
        policy::decision d = policy::decide_session(*broke, so_far.report.host);
        arrival a = failed(std::move(so_far), broke->where, broke->error, std::move(d.meaning));
        co_return a;
    }
    smtp::session& session = so_far.link->session();
    so_far.report.said = *session.greeting();
    for (const smtp::extension& x : session.offered().all())
        so_far.report.extensions.push_back(x.keyword);
    co_return so_far;
}

// The addresses of the server's name, by DNS.
asio::awaitable<policy::host_addresses> addresses_of(std::shared_ptr<net::environment> world,
                                                     std::string host, std::chrono::milliseconds limit)
{
    policy::exchanger x;
    x.host = host;
    x.given = true;
    const auto name = dns::name::parse(host);
    if (!name) {
        policy::host_addresses none;
        none.trouble = policy::trouble{verdict::refused, {5, 1, 2}, name.problem().what};
        co_return none;
    }
    const net::address_answers found = co_await net::async_look_up_addresses(world, *name, limit, net::use);
    co_return policy::decide_addresses(x, found.aaaa, found.a);
}

} // namespace

asio::awaitable<arrival> connect_to(std::shared_ptr<net::environment> world, server where, settings how)
{
    arrival so_far;
    so_far.report.host = where.host();
    if (const auto invalid = why_not(*world, how)) {
        arrival a = is_invalid(std::move(so_far), *invalid);
        co_return a;
    }

    std::vector<net::endpoint> places;
    if (const auto place = endpoint_of(where)) {
        places.push_back(*place);
    } else {
        policy::host_addresses found = co_await addresses_of(world, where.host(), lookup_limit(how));
        if (const bool stopped = co_await is_cancelled(); stopped) {
            arrival a = was_cancelled(std::move(so_far), phase::lookup);
            co_return a;
        }
        if (found.trouble) {
            arrival a = failed(std::move(so_far), phase::lookup, make_error_code(error::lookup_failed),
                               std::move(*found.trouble));
            co_return a;
        }
        for (const std::string& address : found.addresses)
            places.emplace_back(asio::ip::make_address(address), where.port());
    }

    if (const bool stopped = co_await is_cancelled(); stopped) {
        arrival a = was_cancelled(std::move(so_far), phase::connect);
        co_return a;
    }
    const net::connect_limits limits = connect_limits(how);
    net::connect_result tried =
        co_await net::async_connect_any(world, where.host(), std::move(places), limits, net::use);
    trace_connecting(how, where.host(), tried);
    if (tried.cancelled) {
        arrival a = was_cancelled(std::move(so_far), phase::connect);
        co_return a;
    }
    if (!tried.made) {
        policy::trouble meaning = policy::decide_unreachable(where.host(), tried.failures).meaning;
        arrival a = failed(std::move(so_far), phase::connect, make_error_code(error::unreachable),
                           std::move(meaning));
        co_return a;
    }
    arrival a = co_await greet(world, std::move(tried.made), std::move(how), std::move(so_far));
    co_return a;
}

asio::awaitable<arrival> greet_over(std::shared_ptr<net::environment> world, std::unique_ptr<stream> over,
                                    settings how)
{
    arrival so_far;
    so_far.report.host = over->peer();
    if (const auto invalid = why_not(*world, how)) {
        arrival a = is_invalid(std::move(so_far), *invalid);
        co_return a;
    }
    arrival a = co_await greet(std::move(world), std::move(over), std::move(how), std::move(so_far));
    co_return a;
}

} // namespace postrider::delivery
