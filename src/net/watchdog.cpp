// SPDX-License-Identifier: MIT
// net/watchdog: the lazy re-arming.

#include "net/watchdog.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <utility>

namespace postrider::net {

// Outlives the watchdog while a wait is under way.
struct watchdog::state : std::enable_shared_from_this<state> {
    std::shared_ptr<environment> world;
    std::function<void()> barks;
    asio::cancellation_signal stop;
    time_point deadline = time_point::max();
    time_point waking = time_point::max(); // when the wait under way ends; max: none is
    std::uint64_t wait_number = 0;         // tells the wait under way from one that was cancelled

    void wait()
    {
        if (waking != time_point::max())
            stop.emit(asio::cancellation_type::all);
        waking = deadline;
        auto woken = [self = shared_from_this(), number = ++wait_number](error_code ec) {
            if (number == self->wait_number)
                self->on_wake(ec);
        };
        world->wait_until(deadline, asio::bind_cancellation_slot(stop.slot(), std::move(woken)));
    }

    void on_wake(error_code ec)
    {
        waking = time_point::max();
        if (ec || deadline == time_point::max())
            return;
        if (world->now() < deadline) {
            wait();
            return;
        }
        deadline = time_point::max();
        if (const std::function<void()> kept = barks) // whoever is called may end the watchdog
            kept();
    }

    void rest()
    {
        deadline = time_point::max();
        if (waking == time_point::max())
            return;
        ++wait_number;
        waking = time_point::max();
        stop.emit(asio::cancellation_type::all);
    }
};

watchdog::watchdog(std::shared_ptr<environment> world, std::function<void()> barks)
    : state_(std::make_shared<state>())
{
    state_->world = std::move(world);
    state_->barks = std::move(barks);
}

watchdog::~watchdog()
{
    state_->barks = nullptr;
    state_->rest();
}

void watchdog::watch(time_point deadline)
{
    state_->deadline = deadline;
    if (deadline < state_->waking)
        state_->wait();
}

void watchdog::rest() { state_->rest(); }

} // namespace postrider::net
