// SPDX-License-Identifier: MIT
// app/timer_service: one call at a time, on a grid of steps that begins with the first.

#include "postrider/app/timer_service.hpp"

#include "app/gate.hpp"
#include "app/loop_engine.hpp"
#include "postrider/app/loop.hpp"

#include <stdexcept>
#include <utility>

namespace postrider::app {
namespace {

asio::awaitable<void> pass(std::shared_ptr<gate> over) { co_await over->wait(); }

} // namespace

// Shared with the calls that are to come, so that they find it after the service itself is gone.
struct timer_service::state : std::enable_shared_from_this<timer_service::state> {
    state(std::chrono::nanoseconds every, call function) : step(every), what(std::move(function)) {}

    const std::chrono::nanoseconds step;
    call what;
    bool end_at_failure = false;

    app::loop* loop = nullptr;         // as long as
    std::weak_ptr<loop_engine> engine; // this has not ended
    std::string prefix;
    net::time_point first;
    delayed_call next;
    bool stopping = false;
    std::shared_ptr<gate> under_way; // a call

    void begin(app::loop& where, std::string name)
    {
        loop = &where;
        engine = where.engine().weak_from_this();
        prefix = std::move(name);
        first = where.engine().now();
        stopping = false;
        call_after(std::chrono::nanoseconds::zero());
    }

    void call_after(std::chrono::nanoseconds wait)
    {
        next = loop->call_later(wait, [self = shared_from_this()] { self->make_call(); }, prefix);
    }

    // What it returns is made and kept outside of a coroutine: the call may throw at once.
    void make_call()
    {
        under_way = std::make_shared<gate>(); // also for a stop from inside the call
        eventually<void> rest;
        const bool failed = loop->engine().guarded(prefix, [&] { rest = what(); }) != nullptr;
        if (rest.ready())
            return call_ended(failed);
        loop->spawn(finish(shared_from_this(), std::move(rest)), prefix);
    }

    static asio::awaitable<void> finish(std::shared_ptr<state> self, eventually<void> rest)
    {
        std::exception_ptr thrown;
        try {
            co_await rest.get();
        } catch (...) {
            thrown = std::current_exception();
        }
        self->call_ended(thrown != nullptr);
        if (thrown)
            std::rethrow_exception(thrown); // for the loop to log
    }

    void call_ended(bool failed)
    {
        if (const std::shared_ptr<gate> over = std::exchange(under_way, nullptr))
            over->open();
        const std::shared_ptr<loop_engine> alive = engine.lock();
        if (stopping || (failed && end_at_failure) || !alive || alive->ended())
            return;
        const std::chrono::nanoseconds passed = alive->now() - first;
        call_after(step - passed % step);
    }
};

timer_service::timer_service(std::in_place_t, std::chrono::nanoseconds step, call what, std::string name)
    : service(std::move(name)), state_(std::make_shared<state>(step, std::move(what)))
{
    if (step <= std::chrono::nanoseconds::zero())
        throw std::invalid_argument("timer_service: the step is not above 0");
}

timer_service::~timer_service()
{
    state_->stopping = true;
    state_->next.cancel();
}

timer_service& timer_service::end_at_failure(bool yes)
{
    state_->end_at_failure = yes;
    return *this;
}

void timer_service::on_start() { state_->begin(loop(), log_prefix()); }

eventually<void> timer_service::on_stop()
{
    state_->stopping = true;
    state_->next.cancel();
    if (state_->under_way)
        return pass(state_->under_way);
    return {};
}

} // namespace postrider::app
