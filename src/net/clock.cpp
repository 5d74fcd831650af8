// SPDX-License-Identifier: MIT
// net/clock: the list of deadlines, and the one place where the system's clock is read.

#include "net/clock.hpp"

#include "net/complete.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace postrider::net {

struct timer_service::waiter {
    asio::any_io_executor executor;
    handler done;
    std::optional<list::iterator> place; // in the list; empty once it has been taken off
};

struct timer_service::alarm {
    explicit alarm(asio::any_io_executor executor) : timer(std::move(executor)) {}

    asio::steady_timer timer;
    time_point set_for = time_point::max();
};

asio::execution_context::id timer_service::id;

timer_service::timer_service(asio::execution_context& context) : asio::execution_context::service(context) {}
timer_service::~timer_service() = default;

time_point timer_service::now() const
{
    if (virtual_) {
        const std::lock_guard held(mutex_);
        return virtual_now_;
    }
    return time_point(std::chrono::steady_clock::now().time_since_epoch());
}

void timer_service::make_virtual() { virtual_ = true; }

void timer_service::wait_until(time_point when, asio::any_io_executor executor, handler done)
{
    auto slot = asio::get_associated_cancellation_slot(done);
    auto w = std::make_shared<waiter>(waiter{executor, std::move(done), std::nullopt});
    if (slot.is_connected())
        slot.assign([this, weak = std::weak_ptr<waiter>(w)](asio::cancellation_type) {
            if (std::shared_ptr<waiter> waiting = weak.lock()) // or we may be gone ourselves
                take_off(std::move(waiting));
        });

    std::unique_lock held(mutex_);
    w->place = waiting_.emplace(when, w);
    if (!virtual_ && !alarm_)
        alarm_ = std::make_unique<alarm>(std::move(executor));
    arm(held);
}

bool timer_service::advance(time_point no_later_than)
{
    std::vector<std::shared_ptr<waiter>> due;
    {
        const std::lock_guard held(mutex_);
        if (waiting_.empty())
            return false;
        if (waiting_.begin()->first > no_later_than) {
            virtual_now_ = std::max(virtual_now_, no_later_than);
            return false;
        }
        virtual_now_ = std::max(virtual_now_, waiting_.begin()->first);
        while (!waiting_.empty() && waiting_.begin()->first <= virtual_now_) {
            due.push_back(waiting_.begin()->second);
            due.back()->place.reset();
            waiting_.erase(waiting_.begin());
        }
    }
    for (std::shared_ptr<waiter>& w : due)
        complete(std::move(w), {});
    return true;
}

// The system's timer is set again only when the first deadline comes earlier than it is set for:
// sessions push their deadlines back at every step, and that costs nothing here.
void timer_service::arm(std::unique_lock<std::mutex>&)
{
    if (virtual_ || !alarm_)
        return;
    if (waiting_.empty()) {
        alarm_->set_for = time_point::max();
        alarm_->timer.cancel(); // or the event loop would not end while nobody waits
        return;
    }
    const time_point first = waiting_.begin()->first;
    if (first >= alarm_->set_for)
        return;
    alarm_->set_for = first;
    alarm_->timer.expires_at(std::chrono::steady_clock::time_point(first.time_since_epoch()));
    alarm_->timer.async_wait([this](error_code ec) {
        if (!ec)
            on_alarm();
    });
}

void timer_service::on_alarm()
{
    std::vector<std::shared_ptr<waiter>> due;
    {
        std::unique_lock held(mutex_);
        if (!alarm_)
            return;
        alarm_->set_for = time_point::max();
        const time_point current(std::chrono::steady_clock::now().time_since_epoch());
        while (!waiting_.empty() && waiting_.begin()->first <= current) {
            due.push_back(waiting_.begin()->second);
            due.back()->place.reset();
            waiting_.erase(waiting_.begin());
        }
        if (!waiting_.empty())
            arm(held);
    }
    for (std::shared_ptr<waiter>& w : due)
        complete(std::move(w), {});
}

void timer_service::take_off(std::shared_ptr<waiter> w)
{
    {
        std::unique_lock held(mutex_);
        if (!w->place)
            return; // its time has come meanwhile
        waiting_.erase(*std::exchange(w->place, std::nullopt));
        arm(held);
    }
    complete(std::move(w), asio::error::operation_aborted);
}

void timer_service::complete(std::shared_ptr<waiter> w, error_code ec)
{
    // The slot keeps its function: it finds nobody any more, and emptying it here could happen inside
    // its own emission.
    complete_later(w->executor, std::move(w->done), ec);
}

void timer_service::shutdown() noexcept
{
    list waiting;
    std::unique_ptr<alarm> alarm_gone;
    const std::lock_guard held(mutex_);
    waiting.swap(waiting_);
    alarm_gone.swap(alarm_);
}

} // namespace postrider::net
