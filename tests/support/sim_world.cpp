// SPDX-License-Identifier: MIT
// support/sim_world: the clock, the names and the addresses.

#include "support/sim_world.hpp"

#include "net/complete.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace postrider::test {
namespace {

// A handler that is called once, by its time or by its slot, whichever is first.
template <class... Values>
struct once {
    explicit once(asio::any_completion_handler<void(Values...)> d) : done(std::move(d)) {}

    asio::any_completion_handler<void(Values...)> done;

    void call(const asio::any_io_executor& executor, Values... values)
    {
        if (done)
            net::complete_later(executor, std::exchange(done, nullptr), std::move(values)...);
    }
};

} // namespace

class sim_world::names_of_the_world final : public net::resolver {
public:
    explicit names_of_the_world(sim_world& world) : world_(world) {}

    void read(const std::string& text)
    {
        auto zone = sandbox::zone::parse(text);
        if (!zone)
            throw std::invalid_argument(zone.problem().what);
        zone_ = *std::move(zone);
    }

    void resolve(dns::name owner, dns::type kind, std::chrono::milliseconds limit, handler done) override
    {
        auto pending = std::make_shared<once<dns::answer>>(std::move(done));
        const auto executor = world_.executor();
        auto slot = asio::get_associated_cancellation_slot(pending->done);
        if (slot.is_connected())
            slot.assign([weak = std::weak_ptr(pending), executor](asio::cancellation_type) {
                dns::answer a;
                a.status = dns::lookup_status::cancelled;
                if (const auto alive = weak.lock())
                    alive->call(executor, std::move(a));
            });
        dns::answer found = answer_to(std::move(owner), kind);
        const net::clock::duration delay = world_.dns_delay * (1 + world_.roll(3));
        const bool in_time = found.status == dns::lookup_status::answered && delay < limit;
        if (!in_time) {
            found = dns::answer();
            found.status = dns::lookup_status::timed_out;
        }
        world_.at(world_.now() + (in_time ? delay : net::clock::duration(limit)),
                  [pending, executor, found] { pending->call(executor, found); });
    }

private:
    dns::answer answer_to(dns::name owner, dns::type kind) const
    {
        dns::message query;
        query.questions.push_back({std::move(owner), kind});
        dns::answer a;
        a.asked = "the simulated DNS";
        const auto reply = zone_.reply_to(query);
        if (!reply) {
            a.status = dns::lookup_status::timed_out;
            return a;
        }
        a.code = reply->code;
        a.records = reply->answers;
        a.ttl = std::chrono::seconds(60);
        return a;
    }

    sim_world& world_;
    sandbox::zone zone_;
};

sim_world::sim_world(asio::io_context& context, std::uint64_t seed)
    : context_(context), timers_(asio::use_service<net::timer_service>(context)), dice_(seed),
      resolver_(std::make_unique<names_of_the_world>(*this))
{
    timers_.make_virtual();
    began_ = timers_.now();
}

sim_world::~sim_world() = default;

net::resolver& sim_world::names() { return *resolver_; }

void sim_world::dns(std::string_view zone)
{
    zone_text_ += zone;
    zone_text_ += '\n';
    resolver_->read(zone_text_);
}

void sim_world::settle()
{
    do {
        context_.restart();
    } while (context_.poll() > 0);
}

bool sim_world::run(net::clock::duration most, const std::function<bool()>& until)
{
    const net::time_point end = timers_.now() + most;
    for (;;) {
        settle();
        if (until && until())
            return true;
        if (timers_.now() >= end)
            return false;
        if (!timers_.advance(end) && timers_.now() < end)
            return true;
    }
}

void sim_world::wait_until(net::time_point when, net::timer_service::handler done)
{
    ++waits_;
    const auto slot = asio::get_associated_cancellation_slot(done);
    auto counted = [self = shared_from_this(), done = std::move(done)](error_code ec) mutable {
        --self->waits_;
        std::move(done)(ec);
    };
    timers_.wait_until(when, executor(), asio::bind_cancellation_slot(slot, std::move(counted)));
}

void sim_world::at(net::time_point when, std::function<void()> what)
{
    timers_.wait_until(when, executor(), [what = std::move(what)](error_code) { what(); });
}

std::size_t sim_world::open_connections() const
{
    return static_cast<std::size_t>(
        std::count_if(wires_.begin(), wires_.end(), [](const auto& w) { return w->client_open(); }));
}

std::shared_ptr<sim_wire> sim_world::wire_to(const std::string& address, const sim_place& place)
{
    auto wire = std::make_shared<sim_wire>(*this, place.line(), place.server(), address);
    wires_.push_back(wire);
    most_connections_ = std::max(most_connections_, open_connections());
    return wire;
}

std::unique_ptr<stream> sim_world::connected(std::shared_ptr<sim_peer> server, sim_line line)
{
    sim_place place;
    place.server = [server = std::move(server)] { return server; };
    place.line = [line] { return line; };
    const auto wire = wire_to("192.0.2.1:25", place);
    wire->open();
    return wire->client_end();
}

void sim_world::connect(const net::endpoint& to, net::connect_handler done)
{
    const std::string address = to.to_string();
    connects_.push_back(fmt::format("{} ms {}", elapsed() / std::chrono::milliseconds(1), address));
    auto pending = std::make_shared<once<error_code, std::unique_ptr<stream>>>(std::move(done));
    auto slot = asio::get_associated_cancellation_slot(pending->done);
    if (slot.is_connected())
        slot.assign([weak = std::weak_ptr(pending), executor = executor()](asio::cancellation_type) {
            if (const auto alive = weak.lock())
                alive->call(executor, asio::error::operation_aborted, nullptr);
        });
    const auto found = places_.find(address);
    const sim_place place = found == places_.end() ? sim_place{sim_place::kind::refuses, {}, {}, {}}
                                                   : found->second;
    if (place.what == sim_place::kind::silent) {
        unanswered_.push_back(pending); // until its slot ends it
        return;
    }
    at(now() + place.connect_delay, [self = shared_from_this(), pending, place, address] {
        if (!pending->done)
            return;
        if (place.what != sim_place::kind::listens) {
            const bool refused = place.what == sim_place::kind::refuses;
            const error_code ec = refused ? asio::error::connection_refused
                                          : asio::error::network_unreachable;
            pending->call(self->executor(), ec, nullptr);
            return;
        }
        const auto wire = self->wire_to(address, place);
        std::unique_ptr<stream> end = wire->client_end();
        wire->open();
        pending->call(self->executor(), {}, std::move(end));
    });
}

} // namespace postrider::test
