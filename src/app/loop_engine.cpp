// SPDX-License-Identifier: MIT
// app/loop_engine: the errands of a loop, and how they end with it.

#include "app/loop_engine.hpp"

#include "app/exit_status.hpp"
#include "base/text.hpp"
#include "postrider/app/reason.hpp"
#include "postrider/error.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <boost/system/system_error.hpp>

#include <fmt/format.h>

#include <utility>

namespace postrider::app {
namespace {

// What was called off may take this long to close its connections.
constexpr std::chrono::seconds longest_end{5};

bool is_cancellation(const std::exception_ptr& thrown)
{
    const std::error_code why = reason(thrown).error();
    return why == std::error_code(error_code(asio::error::operation_aborted)) || why == error::cancelled;
}

net::timer_service& timers_of(const asio::any_io_executor& executor)
{
    return asio::use_service<net::timer_service>(asio::query(executor, asio::execution::context));
}

// Asio 1.81 throws out of the event loop when a coroutine that has been cancelled ends without ever having
// waited. So one that has not begun is not cancelled, but does not begin; and one that is over hears of
// its cancellation no more (loop.a_coroutine_may_be_called_off_at_any_time).
asio::awaitable<void> run_errand(std::shared_ptr<loop_engine::errand> mine, asio::awaitable<void> work)
{
    if (mine->called_off)
        co_return;
    mine->listens = true;
    std::exception_ptr thrown;
    try {
        co_await std::move(work);
    } catch (...) {
        thrown = std::current_exception();
    }
    mine->listens = false;
    co_await asio::this_coro::throw_if_cancelled(false);
    if (thrown)
        std::rethrow_exception(thrown);
}

} // namespace

// What waits in the context may hold streams and timers of it: it goes before all that it refers to.
loop_engine::~loop_engine()
{
    world_.reset();
    own.reset();
}

const std::shared_ptr<net::environment>& loop_engine::world()
{
    if (!world_) {
        net::resolver_options options;
        options.servers = dns_servers;
        world_ = net::make_environment(executor, std::move(options));
    }
    return world_;
}

net::time_point loop_engine::now() const { return world_ ? world_->now() : timers_of(executor).now(); }

void loop_engine::wait(net::clock::duration how_long, net::timer_service::handler done)
{
    const net::time_point present = now();
    const bool forever = how_long > net::time_point::max() - present;
    wait_until(forever ? net::time_point::max() : present + how_long, std::move(done));
}

void loop_engine::wait_until(net::time_point when, net::timer_service::handler done)
{
    if (world_)
        world_->wait_until(when, std::move(done));
    else
        timers_of(executor).wait_until(when, executor, std::move(done));
}

std::shared_ptr<loop_engine::errand> loop_engine::begin_errand()
{
    auto mine = std::make_shared<errand>();
    mine->number = next_errand_++;
    errands_.emplace(mine->number, mine);
    return mine;
}

void loop_engine::call_off(std::uint64_t number)
{
    const auto found = errands_.find(number);
    if (found == errands_.end())
        return;
    // Held here: what is called off may end, and be forgotten, inside the emission.
    const std::shared_ptr<errand> one = found->second;
    one->called_off = true;
    if (one->listens)
        one->signal.emit(asio::cancellation_type::all);
}

void loop_engine::call_off_all()
{
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, one] : errands_)
        numbers.push_back(number);
    for (const std::uint64_t number : numbers)
        call_off(number);
}

void loop_engine::finish_errand(std::uint64_t number)
{
    errands_.erase(number);
    if (ended_ && errands_.empty())
        leave();
}

void loop_engine::spawn(asio::awaitable<void> work, std::string prefix)
{
    if (ended_)
        return;
    const std::shared_ptr<errand> mine = begin_errand();
    mine->listens = false;
    auto done = [weak = weak_from_this(), mine, prefix = std::move(prefix)](std::exception_ptr thrown) {
        const std::shared_ptr<loop_engine> self = weak.lock();
        if (!self)
            return;
        if (thrown && !(self->ended_ && is_cancellation(thrown)))
            self->note_unhandled(prefix, thrown);
        self->finish_errand(mine->number);
    };
    asio::co_spawn(executor, run_errand(mine, std::move(work)),
                   asio::bind_cancellation_slot(mine->signal.slot(), std::move(done)));
}

void loop_engine::end()
{
    if (std::exchange(ended_, true))
        return;
    call_off_all();
    if (errands_.empty())
        return leave();
    if (!own)
        return;
    wait(longest_end, [weak = weak_from_this()](error_code) {
        const std::shared_ptr<loop_engine> self = weak.lock();
        if (!self)
            return;
        logger().warning(fmt::format("{} did not end within {} s of being called off",
                                     base::counted(self->errands_.size(), "coroutine"), longest_end.count()));
        self->leave();
    });
}

void loop_engine::abandon()
{
    ended_ = true;
    call_off_all();
}

// Behind what is in the queue already: the last callbacks of those that stopped.
void loop_engine::leave()
{
    if (own)
        asio::post(executor, [context = own.get()] { context->stop(); });
}

void loop_engine::note_failure(int failure) noexcept
{
    int none = 0;
    if (failure != 0)
        status.compare_exchange_strong(none, failure);
}

void loop_engine::note_unhandled(const std::string& prefix, const std::exception_ptr& thrown)
{
    // A peer may have caused it, and may do so again.
    const std::string text = "unhandled exception: " + description_of(thrown);
    logger(prefix).limited(log_level::error, text, text);
    note_failure(exit_software);
}

std::exception_ptr loop_engine::guarded(const std::string& prefix, const std::function<void()>& callback)
{
    try {
        callback();
        return nullptr;
    } catch (...) {
        std::exception_ptr thrown = std::current_exception();
        note_unhandled(prefix, thrown);
        return thrown;
    }
}

std::shared_ptr<loop_engine> engine_in(std::shared_ptr<net::environment> world)
{
    auto engine = std::make_shared<loop_engine>();
    engine->executor = world->executor();
    engine->set_world(std::move(world));
    return engine;
}

std::exception_ptr guarded(loop& where, const std::string& prefix, const std::function<void()>& callback)
{
    return where.engine().guarded(prefix, callback);
}

} // namespace postrider::app
