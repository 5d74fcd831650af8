// SPDX-License-Identifier: MIT
#pragma once
// net/clock: time as this project measures it, and waiting for it.
//
// A timer_service belongs to an execution context and serves everybody on it from one ordered list
// over one timer of the system's, so that ten thousand sessions with a deadline each cost the
// system nothing. In virtual mode no real time passes: a simulator moves the clock to the next
// deadline whenever nothing else is left to do, and minutes of waiting cost microseconds.
//
// Threads: any. Handlers run on their associated executor, never from inside a call.

#include "net/asio.hpp"

#include <boost/asio/execution_context.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace postrider::net {

/// Points on a clock that only goes forward. There is no now() here: time comes from the
/// environment, and behind it from a timer_service.
struct clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<clock>;
    static constexpr bool is_steady = true;
};
using time_point = clock::time_point;

class timer_service final : public asio::execution_context::service {
public:
    using key_type = timer_service;
    static asio::execution_context::id id;
    using handler = asio::any_completion_handler<void(error_code)>;

    explicit timer_service(asio::execution_context& context);
    ~timer_service() override;

    time_point now() const;

    /// Completes when `when` has come, or with asio::error::operation_aborted if the handler's
    /// cancellation slot is emitted first.
    void wait_until(time_point when, asio::any_io_executor executor, handler done);

    /// From here on time stands still but for advance(). Before the first wait.
    void make_virtual();

    /// Virtual mode: moves the clock to the next deadline and lets its waiters go. False: nobody
    /// waits, or nobody until `no_later_than`, to which the clock has moved then.
    bool advance(time_point no_later_than = time_point::max());

private:
    struct waiter;
    using list = std::multimap<time_point, std::shared_ptr<waiter>>;

    void shutdown() noexcept override;
    void arm(std::unique_lock<std::mutex>& held);
    void on_alarm();
    void take_off(std::shared_ptr<waiter> w);
    static void complete(std::shared_ptr<waiter> w, error_code ec);

    struct alarm;
    mutable std::mutex mutex_;
    list waiting_;
    std::unique_ptr<alarm> alarm_;
    bool virtual_ = false;
    time_point virtual_now_{std::chrono::hours(1)};
};

} // namespace postrider::net
