// SPDX-License-Identifier: MIT
// delivery/connection: between the public settings and the session driver.

#include "delivery/connection.hpp"

#include "base/text.hpp"
#include "delivery/operation.hpp"
#include "net/use.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace postrider::delivery {
namespace {

constexpr std::chrono::seconds lookup_default{30};

// This host's name, if it is one that means something elsewhere.
std::string name_of_this_host()
{
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 ||
        std::string_view(name.data()).find('.') == std::string_view::npos)
        return {};
    const auto checked = parse_domain(name.data());
    return checked ? *checked : std::string();
}

// Of messages that the server was never told of.
std::vector<std::vector<smtp::outcome>> all_cancelled(
    const std::vector<net::session_driver::outgoing>& messages)
{
    smtp::outcome o;
    o.error = make_error_code(error::cancelled);
    o.why = "cancelled before it began";
    std::vector<std::vector<smtp::outcome>> all;
    for (const net::session_driver::outgoing& m : messages)
        all.emplace_back(m.envelope.recipients.size(), o);
    return all;
}

// A source that throws when it is looked at will do so when it is read, and is told of there.
smtp::body_octets octets_of(const body& content)
{
    std::optional<bool> eight_bit;
    try {
        eight_bit = content.eight_bit();
    } catch (const std::exception&) {
        return smtp::body_octets::unknown;
    }
    if (!eight_bit)
        return smtp::body_octets::unknown;
    return *eight_bit ? smtp::body_octets::eight_bit : smtp::body_octets::seven_bit;
}

std::optional<enhanced_code> status_in(const policy::trouble& meaning)
{
    return meaning.status.status != 0 ? std::optional(meaning.status) : std::nullopt;
}

} // namespace

std::chrono::milliseconds lookup_limit(const settings& how)
{
    return std::min(how.timeout().value_or(lookup_default), lookup_default);
}

net::resolver_options resolver_options(const settings& how)
{
    net::resolver_options options;
    options.servers = how.dns_servers();
    return options;
}

net::connect_limits connect_limits(const settings& how)
{
    net::connect_limits limits;
    if (how.timeout()) {
        limits.each = std::min<std::chrono::milliseconds>(limits.each, *how.timeout());
        limits.total = std::min<std::chrono::milliseconds>(limits.total, *how.timeout());
    }
    return limits;
}

std::string checked_name(const settings& how)
{
    if (how.our_name().empty())
        return name_of_this_host();
    auto name = parse_domain(how.our_name());
    if (!name)
        throw std::invalid_argument("'" + base::escaped(how.our_name(), 128) +
                                    "' cannot be our name: " + name.problem().what);
    return *std::move(name);
}

void trace_network(const settings& how, std::string_view peer, std::string_view what)
{
    if (how.trace())
        how.trace()(trace_line(trace_line::kind::network, peer, what));
}

void trace_connecting(const settings& how, std::string_view host, const net::connect_result& tried)
{
    for (const policy::connect_failure& f : tried.failures)
        trace_network(how, f.address, fmt::format("could not connect to {}: {}", host, f.why.message()));
    if (tried.made)
        trace_network(how, tried.made->peer(), fmt::format("connected to {}", host));
}

// Octets into lines, for settings::trace(); and the progress of bodies.
class connection::tracer final : public net::session_observer {
public:
    tracer(const settings& how, std::string peer)
        : trace_(how.trace()), progress_(how.progress()), peer_(std::move(peer))
    {
    }

    void on_said(std::string_view octets) override { lines(trace_line::kind::client, octets, said_); }
    void on_heard(std::string_view octets) override { lines(trace_line::kind::server, octets, heard_); }

    void on_body_progress(std::uint64_t, std::uint64_t wire_octets, bool ended) override
    {
        if (progress_)
            progress_(wire_octets, ended);
        if (ended)
            tell(trace_line::kind::body,
                 base::counted(wire_octets, "octet") + " of message, and the lone dot");
    }

    void on_network(std::string_view what) override
    {
        if (!heard_.empty())
            tell(trace_line::kind::server, std::exchange(heard_, {}));
        tell(trace_line::kind::network, what);
    }

private:
    void tell(trace_line::kind what, std::string_view text)
    {
        if (trace_)
            trace_(trace_line(what, peer_, text));
    }

    // A peer that never ends its line must not fill our memory: what is held is bounded.
    void lines(trace_line::kind what, std::string_view octets, std::string& held)
    {
        if (!trace_)
            return;
        while (!octets.empty()) {
            const std::size_t end = octets.find('\n');
            held += octets.substr(0, end);
            if (end == std::string_view::npos && held.size() < 8192)
                return;
            if (held.ends_with('\r'))
                held.pop_back();
            tell(what, std::exchange(held, {}));
            octets.remove_prefix(end == std::string_view::npos ? octets.size() : end + 1);
        }
    }

    std::function<void(const trace_line&)> trace_;
    std::function<void(std::uint64_t, bool)> progress_;
    std::string peer_, said_, heard_;
};

connection::connection(std::shared_ptr<net::environment> world, std::unique_ptr<stream> over,
                       std::string host, const std::string& our_name, const settings& how)
    : host_(std::move(host)), peer_(over->peer()), tracer_(std::make_unique<tracer>(how, peer_))
{
    net::driver_options options;
    options.session.our_name = our_name.empty() ? over->local_literal() : our_name;
    if (options.session.our_name.empty())
        options.session.our_name = "[127.0.0.1]"; // a Unix socket, or a stream that does not know
    options.session.pipelining = how.pipelining();
    options.wait_max = how.timeout();
    if (how.trace() || how.progress())
        options.observer = tracer_.get();
    driver_ = std::make_unique<net::session_driver>(std::move(world), std::move(over), std::move(options));
}

connection::~connection() = default;

asio::awaitable<std::optional<smtp::session_failure>> connection::start()
{
    if (const bool stopped = co_await is_cancelled(); stopped)
        driver_->cancel();
    co_await driver_->async_start(net::use);
    co_return session().failure();
}

asio::awaitable<std::vector<std::vector<smtp::outcome>>> connection::deliver(
    std::vector<net::session_driver::outgoing> messages)
{
    const std::size_t expected = messages.size();
    if (const bool stopped = co_await is_cancelled(); stopped) {
        driver_->cancel();
        co_return all_cancelled(messages);
    }
    co_await driver_->async_deliver(std::move(messages), net::use);
    std::vector<std::vector<smtp::outcome>> all;
    all.reserve(expected);
    while (auto ended = session().take_settled())
        all.push_back(std::move(ended->outcomes));
    co_return all;
}

asio::awaitable<void> connection::quit()
{
    if (const bool stopped = co_await is_cancelled(); stopped)
        driver_->cancel();
    if (!driver_->closed())
        co_await driver_->async_quit(net::use);
}

net::session_driver::outgoing outgoing_for(const message& what, const std::vector<std::size_t>& recipients)
{
    smtp::transaction envelope;
    envelope.reverse_path = what.envelope().reverse_path();
    for (std::size_t i : recipients)
        envelope.recipients.push_back(what.envelope().recipients()[i]);
    envelope.octets = octets_of(what.content());
    return {std::move(envelope), what.content()};
}

void fill_in(recipient_report& r, const smtp::outcome& o, const policy::trouble& meaning,
             const connection& link)
{
    r.verdict = o.verdict == verdict::untried ? verdict::untried : meaning.verdict;
    r.where = o.where;
    r.host = link.host();
    r.peer = link.peer();
    r.command = o.command;
    if (o.said)
        r.said = *o.said;
    r.status = o.said && o.said->enhanced() ? o.said->enhanced() : status_in(meaning);
    r.why = meaning.sentence;
    r.error = o.error;
}

void fill_in(recipient_report& r, const policy::trouble& meaning, phase where, std::error_code error)
{
    r.verdict = meaning.verdict;
    r.where = where;
    r.status = status_in(meaning);
    r.why = meaning.sentence;
    r.error = error;
}

} // namespace postrider::delivery
