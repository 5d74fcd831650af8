// SPDX-License-Identifier: MIT
// delivery/mailer: groups by domain, so many at a time.

#include "postrider/mailer.hpp"

#include "delivery/group.hpp"
#include "delivery/in_world.hpp"
#include "delivery/operation.hpp"
#include "delivery/turns.hpp"
#include "net/complete.hpp"
#include "net/use.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

namespace postrider {

struct mailer_engine {
    mailer_engine(asio::any_io_executor e, settings s)
        : executor(std::move(e)), how(std::move(s)), connections(how.connections_max())
    {
    }

    static mailer mailer_of(std::shared_ptr<mailer_engine> e) { return mailer(std::move(e)); }

    asio::any_io_executor executor;
    settings how;
    std::shared_ptr<net::environment> world;       // given, or made when first needed
    std::shared_ptr<delivery::shared_means> means; // made when first needed
    std::set<std::shared_ptr<delivery::stop_signal>> under_way;
    delivery::turns connections;
};

namespace {

using delivery::ended;
using engine_ptr = std::shared_ptr<mailer_engine>;

// Throws std::invalid_argument if the settings cannot be used.
void make_means(mailer_engine& e)
{
    if (e.means)
        return;
    auto means = std::make_shared<delivery::shared_means>();
    means->world = e.world ? e.world : net::make_environment(e.executor, delivery::resolver_options(e.how));
    means->our_name = delivery::checked_name(e.how);
    means->how = e.how;
    (void)means->world->names();
    e.means = std::move(means);
}

std::optional<std::string> why_not(mailer_engine& e)
{
    try {
        make_means(e);
    } catch (const std::invalid_argument& x) {
        return x.what();
    }
    return std::nullopt;
}

std::vector<report> blank_reports(const std::vector<message>& all)
{
    std::vector<report> reports;
    for (const message& m : all) {
        report& r = reports.emplace_back();
        for (const address& to : m.envelope().recipients())
            r.recipients.emplace_back(to);
    }
    return reports;
}

// In the order in which the domains are named first.
std::vector<delivery::group> groups_of(const std::vector<message>& all, std::vector<report>& reports)
{
    std::vector<delivery::group> groups;
    std::map<std::string, std::size_t> known;
    for (std::size_t m = 0; m < all.size(); ++m) {
        const std::vector<address>& recipients = all[m].envelope().recipients();
        for (std::size_t i = 0; i < recipients.size(); ++i) {
            const auto [place, is_new] = known.emplace(recipients[i].ascii_domain(), groups.size());
            if (is_new)
                groups.push_back({recipients[i].ascii_domain(), {}});
            std::vector<delivery::consignment>& c = groups[place->second].consignments;
            if (c.empty() || c.back().what != &all[m])
                c.push_back({&all[m], {}, &reports[m]});
            c.back().recipients.push_back(i);
        }
    }
    return groups;
}

// The groups of one operation; the handler when the last has ended.
class crowd final : public delivery::turn_taker, public std::enable_shared_from_this<crowd> {
public:
    crowd(engine_ptr e, std::vector<delivery::group> groups, asio::any_completion_handler<void()> done)
        : engine_(std::move(e)), groups_(std::move(groups)), done_(std::move(done))
    {
    }

    void begin()
    {
        auto slot = asio::get_associated_cancellation_slot(done_);
        if (slot.is_connected())
            slot.assign([weak = weak_from_this()](asio::cancellation_type) {
                if (auto self = weak.lock())
                    self->give_up();
            });
        if (groups_.empty())
            net::complete_later(engine_->executor, std::exchange(done_, nullptr));
        else
            engine_->connections.ask(shared_from_this());
    }

    std::size_t waiting() const override { return groups_.size() - next_; }
    void take_turn() override { start_next(true); }

    // Groups that have no connection yet end without one, so they need wait for no place.
    void give_up() override
    {
        const auto all = stops_;
        for (const auto& stop : all)
            stop->emit();
        while (next_ < groups_.size())
            start_next(false)->emit();
    }

private:
    static asio::awaitable<void> one(std::shared_ptr<delivery::stop_signal> stop,
                                     std::shared_ptr<delivery::shared_means> means, delivery::group what)
    {
        co_await delivery::begin(std::move(stop));
        co_await delivery::deliver_group(std::move(means), std::move(what));
    }

    std::shared_ptr<delivery::stop_signal> start_next(bool has_place)
    {
        const std::size_t i = next_++;
        ++running_;
        const auto stop = std::make_shared<delivery::stop_signal>();
        stops_.insert(stop);
        auto end = [self = shared_from_this(), stop, has_place](std::exception_ptr thrown) {
            self->on_end(stop, has_place);
            if (thrown)
                std::rethrow_exception(thrown);
        };
        asio::co_spawn(engine_->executor, one(stop, engine_->means, std::move(groups_[i])),
                       asio::bind_cancellation_slot(stop->slot(), std::move(end)));
        return stop;
    }

    void on_end(const std::shared_ptr<delivery::stop_signal>& stop, bool had_place)
    {
        stops_.erase(stop);
        --running_;
        if (had_place)
            engine_->connections.give_back();
        if (running_ == 0 && next_ == groups_.size() && done_)
            net::complete_later(engine_->executor, std::exchange(done_, nullptr));
    }

    engine_ptr engine_;
    std::vector<delivery::group> groups_;
    asio::any_completion_handler<void()> done_;
    std::set<std::shared_ptr<delivery::stop_signal>> stops_;
    std::size_t next_ = 0, running_ = 0;
};

template <asio::completion_token_for<void()> Token>
auto async_deliver_groups(engine_ptr e, std::vector<delivery::group> groups, Token&& token)
{
    return asio::async_initiate<Token, void()>(
        [](auto done, engine_ptr engine, std::vector<delivery::group> all) {
            std::make_shared<crowd>(std::move(engine), std::move(all), std::move(done))->begin();
        },
        token, std::move(e), std::move(groups));
}

// A signal that came when everything was decided has ended nothing.
bool anyone_cancelled(const std::vector<report>& all)
{
    for (const report& r : all)
        for (const recipient_report& one : r.recipients)
            if (one.error == error::cancelled)
                return true;
    return false;
}

asio::awaitable<ended<std::vector<report>>> do_deliver(engine_ptr e, std::vector<message> all)
{
    ended<std::vector<report>> result;
    result.value = blank_reports(all);
    if (const std::optional<std::string> invalid = why_not(*e)) {
        result.error = make_error_code(error::invalid_argument);
        for (report& r : result.value)
            for (recipient_report& one : r.recipients)
                one.why = *invalid, one.error = result.error;
        co_return result;
    }
    std::vector<delivery::group> groups = groups_of(all, result.value);
    if (const bool stopped = co_await delivery::is_cancelled(); stopped)
        for (report& r : result.value)
            for (recipient_report& one : r.recipients)
                one.why = "cancelled before it began", one.error = make_error_code(error::cancelled);
    else
        co_await async_deliver_groups(e, std::move(groups), net::use);
    if (anyone_cancelled(result.value))
        result.error = make_error_code(error::cancelled);
    co_return result;
}

asio::awaitable<ended<report>> do_deliver_one(engine_ptr e, std::vector<message> one)
{
    ended<std::vector<report>> delivered = co_await do_deliver(std::move(e), std::move(one));
    ended<report> result(delivered.error, std::move(delivered.value.front()));
    co_return result;
}

asio::awaitable<planned_route> plan_domain(std::shared_ptr<delivery::shared_means> means, std::string domain)
{
    planned_route plan;
    policy::route way = co_await delivery::find_route(means, domain);
    plan.domain = std::move(domain);
    plan.notes = std::move(way.notes);
    if (way.trouble) {
        plan.meaning = way.trouble->verdict;
        plan.why = std::move(way.trouble->sentence);
    }
    for (const policy::exchanger& x : way.exchangers) {
        planned_route::host h;
        h.name = x.host;
        h.preference = x.preference;
        h.implicit = x.implicit;
        policy::host_addresses found = co_await delivery::find_addresses(means, x);
        for (const std::string& a : found.addresses)
            h.addresses.push_back(
                net::endpoint(asio::ip::make_address(a), means->how.exchanger_port()).to_string());
        if (found.trouble)
            h.why = std::move(found.trouble->sentence);
        plan.hosts.push_back(std::move(h));
    }
    co_return plan;
}

asio::awaitable<ended<std::vector<planned_route>>> do_plan(engine_ptr e, envelope what)
{
    ended<std::vector<planned_route>> result;
    if (const std::optional<std::string> invalid = why_not(*e)) {
        result.error = make_error_code(error::invalid_argument);
        planned_route none;
        none.why = *invalid;
        result.value.push_back(std::move(none));
        co_return result;
    }
    std::map<std::string, std::size_t> known;
    for (const address& to : what.recipients()) {
        const auto [place, is_new] = known.emplace(to.ascii_domain(), result.value.size());
        if (is_new) {
            planned_route plan = co_await plan_domain(e->means, to.ascii_domain());
            result.value.push_back(std::move(plan));
        }
        result.value[place->second].recipients.push_back(to);
    }
    if (const bool stopped = co_await delivery::is_cancelled(); stopped)
        result.error = make_error_code(error::cancelled);
    co_return result;
}

template <class Value>
void start(const engine_ptr& e, asio::awaitable<ended<Value>> work, completion<Value> done)
{
    auto stop = std::make_shared<delivery::stop_signal>();
    e->under_way.insert(stop);
    delivery::run<Value>(e->executor, std::move(work), stop, std::move(done),
                         [e, stop] { e->under_way.erase(stop); });
}

} // namespace

mailer::mailer(asio::any_io_executor executor, settings how)
    : impl_(std::make_shared<mailer_engine>(std::move(executor), std::move(how)))
{
}

mailer delivery::mailer_in(std::shared_ptr<net::environment> world, settings how)
{
    auto engine = std::make_shared<mailer_engine>(world->executor(), std::move(how));
    engine->world = std::move(world);
    return mailer_engine::mailer_of(std::move(engine));
}

mailer::mailer(mailer&&) noexcept = default;

mailer& mailer::operator=(mailer&& other) noexcept
{
    if (this != &other) {
        if (impl_)
            cancel();
        impl_ = std::move(other.impl_);
    }
    return *this;
}

mailer::~mailer()
{
    if (impl_)
        cancel();
}

asio::any_io_executor mailer::get_executor() const { return impl_->executor; }

void mailer::cancel()
{
    const auto all = impl_->under_way;
    for (const auto& stop : all)
        stop->emit();
    // Operations that have nothing running are held by the queue alone, and they hold it.
    asio::post(impl_->executor, [waiting = impl_->connections.dismiss()] {
        for (const auto& who : waiting)
            who->give_up();
    });
}

void mailer::delivering_one::operator()(completion<report> done)
{
    std::vector<message> one;
    one.push_back(std::move(what));
    start<report>(impl, do_deliver_one(impl, std::move(one)), std::move(done));
}

void mailer::delivering_all::operator()(completion<std::vector<report>> done)
{
    start<std::vector<report>>(impl, do_deliver(impl, std::move(what)), std::move(done));
}

void mailer::planning::operator()(completion<std::vector<planned_route>> done)
{
    start<std::vector<planned_route>>(impl, do_plan(impl, std::move(what)), std::move(done));
}

} // namespace postrider
