// SPDX-License-Identifier: MIT
// delivery/group: route, hosts, outcomes.

#include "delivery/group.hpp"

#include "delivery/operation.hpp"
#include "net/address_lookup.hpp"
#include "net/use.hpp"
#include "postrider/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace postrider::delivery {
namespace {

// A recipient who is not decided yet, with what the hosts so far have made of him.
struct open_case {
    const message* what;
    std::size_t recipient;
    recipient_report* entry; // says what the host said that will count if no other takes the message
    std::vector<policy::decision> tried;

    // The last host that left hope tells most, as policy::decide_all_hosts() has it.
    bool counts(const policy::decision& d) const
    {
        const auto leaves_hope = [](const policy::decision& t) {
            return t.meaning.verdict != verdict::refused;
        };
        return leaves_hope(d) || std::none_of(tried.begin(), tried.end(), leaves_hope);
    }
};

// What befell the host, and not what this message is or needs.
bool tells_of_the_host(const std::error_code& why)
{
    return why && why != error::eight_bit_body && why != error::body_failed && why != error::cancelled;
}

class round_of_hosts {
public:
    round_of_hosts(std::shared_ptr<shared_means> means, group what)
        : means_(std::move(means)), domain_(std::move(what.domain))
    {
        for (const consignment& c : what.consignments)
            for (std::size_t i : c.recipients)
                open_.push_back({c.what, i, &c.report->recipients[i], {}});
    }

    asio::awaitable<void> run()
    {
        policy::route way = co_await find_route(means_, domain_);
        if (const bool stopped = co_await is_cancelled(); stopped) {
            everybody_cancelled(phase::lookup);
            co_return;
        }
        if (way.trouble) {
            settle_everybody(*way.trouble, phase::lookup);
            co_return;
        }
        trace_route(way);
        bad_ones_last(way.exchangers);
        for (const policy::exchanger& host : way.exchangers) {
            co_await visit(host);
            if (const bool stopped = co_await is_cancelled(); stopped) {
                everybody_cancelled(phase::connect);
                co_return;
            }
            if (open_.empty())
                co_return;
            if (connecting_left_.count() <= 0)
                break;
        }
        nobody_took_them();
    }

private:
    void trace_route(const policy::route& way) const
    {
        std::string hosts;
        for (const policy::exchanger& x : way.exchangers)
            hosts += fmt::format("{}{} {}", hosts.empty() ? "" : ", ", x.preference, x.host);
        trace_network(means_->how, "", fmt::format("mail exchangers of {}: {}", domain_, hosts));
        for (const std::string& note : way.notes)
            trace_network(means_->how, "", note);
    }

    void bad_ones_last(std::vector<policy::exchanger>& hosts) const
    {
        const net::time_point now = means_->world->now();
        std::stable_partition(hosts.begin(), hosts.end(),
                              [&](const policy::exchanger& x) { return !means_->hosts.is_bad(x.host, now); });
    }

    // Some servers take one message a connection, or so many. One that took any and then left is
    // worth another connection for those whose turn had not come; each decides one message at least.
    asio::awaitable<void> visit(policy::exchanger host)
    {
        bool again = true;
        while (again) { // g++ 12 traps where co_await stands in the condition
            left_at_work_ = false;
            co_await try_host(host);
            const bool stopped = co_await is_cancelled();
            again = left_at_work_ && !open_.empty() && !stopped;
        }
    }

    asio::awaitable<void> try_host(policy::exchanger host)
    {
        policy::host_addresses found = co_await find_addresses(means_, host);
        if (const bool stopped = co_await is_cancelled(); stopped)
            co_return;
        if (found.trouble) {
            recipient_report what = report_on(host.host, phase::lookup);
            host_failed({policy::next_step::next_host, std::move(*found.trouble)}, std::move(what));
            co_return;
        }
        std::vector<net::endpoint> places;
        for (const std::string& address : found.addresses)
            places.emplace_back(asio::ip::make_address(address), means_->how.exchanger_port());
        net::connect_limits limits = connect_limits(means_->how);
        limits.total = std::min(limits.total, connecting_left_);
        const net::time_point begun = means_->world->now();
        net::connect_result reached =
            co_await net::async_connect_any(means_->world, host.host, std::move(places), limits, net::use);
        connecting_left_ -= std::chrono::ceil<std::chrono::milliseconds>(means_->world->now() - begun);
        trace_connecting(means_->how, host.host, reached);
        if (reached.cancelled)
            co_return;
        if (!reached.made) {
            recipient_report what = report_on(host.host, phase::connect);
            what.error = make_error_code(error::unreachable);
            host_failed(policy::decide_unreachable(host.host, reached.failures), std::move(what));
            co_return;
        }
        connection link(means_->world, std::move(reached.made), host.host, means_->our_name, means_->how);
        co_await speak(link);
    }

    asio::awaitable<void> speak(connection& link)
    {
        const std::optional<smtp::session_failure> broke = co_await link.start();
        if (broke && broke->error == error::cancelled)
            co_return;
        if (broke) {
            recipient_report what = report_on(link.host(), broke->where);
            what.peer = link.peer();
            what.command = broke->command;
            if (broke->said)
                what.said = *broke->said;
            what.error = broke->error;
            host_failed(policy::decide_session(*broke, link.host()), std::move(what));
            co_return;
        }
        means_->hosts.mark_good(link.host());
        co_await hand_over(link);
        co_await link.quit();
    }

    // Every message that has open recipients, in one session.
    asio::awaitable<void> hand_over(connection& link)
    {
        std::vector<net::session_driver::outgoing> out;
        std::vector<std::size_t> first_case; // of each message
        for (std::size_t i = 0; i < open_.size();) {
            std::vector<std::size_t> recipients;
            first_case.push_back(i);
            const message* const what = open_[i].what;
            for (; i < open_.size() && open_[i].what == what; ++i)
                recipients.push_back(open_[i].recipient);
            out.push_back(outgoing_for(*what, recipients));
        }
        const std::vector<std::vector<smtp::outcome>> outcomes = co_await link.deliver(std::move(out));
        const std::size_t before = open_.size();
        bool some_untried = false;
        for (std::size_t m = 0; m < outcomes.size(); ++m)
            for (std::size_t r = 0; r < outcomes[m].size(); ++r) {
                some_untried = some_untried || outcomes[m][r].verdict == verdict::untried;
                take(open_[first_case[m] + r], outcomes[m][r], link);
            }
        std::erase_if(open_, [](const open_case& c) { return c.entry == nullptr; });
        left_at_work_ = some_untried && open_.size() < before;
    }

    void take(open_case& c, const smtp::outcome& o, const connection& link)
    {
        policy::decision d = policy::decide_outcome(o, link.host());
        if (d.step != policy::next_step::next_host) {
            fill_in(*c.entry, o, d.meaning, link);
            c.entry = nullptr; // decided
            return;
        }
        if (tells_of_the_host(o.error))
            means_->hosts.mark_bad(link.host(), means_->world->now());
        if (c.counts(d))
            fill_in(*c.entry, o, d.meaning, link);
        c.tried.push_back(std::move(d));
    }

    recipient_report report_on(const std::string& host, phase where) const
    {
        recipient_report what(open_.front().entry->recipient);
        what.host = host;
        what.where = where;
        return what;
    }

    // `what` is the same for everybody, but for who he is.
    void host_failed(const policy::decision& d, recipient_report what)
    {
        means_->hosts.mark_bad(what.host, means_->world->now());
        fill_in(what, d.meaning, what.where, what.error);
        for (open_case& c : open_) {
            what.recipient = c.entry->recipient;
            if (c.counts(d))
                *c.entry = what;
            c.tried.push_back(d);
        }
    }

    void settle_everybody(const policy::trouble& meaning, phase where)
    {
        for (open_case& c : open_)
            fill_in(*c.entry, meaning, where);
        open_.clear();
    }

    void nobody_took_them()
    {
        for (open_case& c : open_) {
            const policy::trouble meaning = policy::decide_all_hosts(domain_, c.tried);
            c.entry->verdict = meaning.verdict;
            c.entry->why = meaning.sentence;
        }
        open_.clear();
    }

    // Who was begun has his verdict from the session. Of the others, those that a host has failed
    // keep what it was, but for a no that another host might not have said.
    void everybody_cancelled(phase where)
    {
        for (open_case& c : open_) {
            c.entry->error = make_error_code(error::cancelled);
            if (c.tried.empty()) {
                c.entry->where = where;
                c.entry->why = "cancelled";
            } else if (c.entry->verdict == verdict::refused) {
                c.entry->verdict = verdict::deferred;
            }
        }
        open_.clear();
    }

    std::shared_ptr<shared_means> means_;
    std::string domain_;
    std::chrono::milliseconds connecting_left_ = connecting_limit; // for all hosts together
    std::vector<open_case> open_;                                  // recipients of one message stand together
    bool left_at_work_ = false; // the last host took something, and left before it was told of all
};

} // namespace

asio::awaitable<policy::route> find_route(std::shared_ptr<shared_means> means, std::string domain)
{
    policy::mx_options options;
    options.own_name = means->how.own_host();
    policy::mx_lookup lookup(domain, std::move(options));
    const policy::random_below random = [world = means->world.get()](std::uint32_t bound) {
        return world->random(bound);
    };
    const std::chrono::milliseconds limit = lookup_limit(means->how);
    while (const std::optional<dns::question> q = lookup.next()) {
        if (const bool stopped = co_await is_cancelled(); stopped)
            break; // whoever asks looks at that first
        dns::name owner = q->owner;
        const dns::answer answer =
            co_await means->world->names().async_resolve(std::move(owner), q->kind, limit, net::use);
        lookup.answered(answer, random);
    }
    co_return lookup.found();
}

asio::awaitable<policy::host_addresses> find_addresses(std::shared_ptr<shared_means> means,
                                                       policy::exchanger host)
{
    net::address_answers found;
    if (!host.literal) {
        const auto name = dns::name::parse(host.host);
        if (!name) {
            policy::host_addresses none;
            none.trouble = policy::trouble{verdict::refused, {5, 4, 4}, name.problem().what};
            co_return none;
        }
        if (const bool stopped = co_await is_cancelled(); stopped)
            co_return policy::host_addresses();
        found =
            co_await net::async_look_up_addresses(means->world, *name, lookup_limit(means->how), net::use);
    }
    co_return policy::decide_addresses(host, found.aaaa, found.a);
}

asio::awaitable<void> deliver_group(std::shared_ptr<shared_means> means, group what)
{
    round_of_hosts round(std::move(means), std::move(what));
    co_await round.run();
}

} // namespace postrider::delivery
