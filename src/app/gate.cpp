// SPDX-License-Identifier: MIT
// app/gate: a list of those who wait; each is completed once, by the gate or by its cancellation.

#include "app/gate.hpp"

#include "net/complete.hpp"
#include "net/use.hpp"

#include <utility>

namespace postrider::app {

struct gate::waiter {
    asio::any_io_executor executor;
    asio::any_completion_handler<void(error_code)> done;
};

gate::gate() : waiting_(std::make_shared<waiters>()) {}
gate::~gate() = default;

void gate::open()
{
    open_ = true;
    for (const waiters all = std::exchange(*waiting_, {}); const std::shared_ptr<waiter>& one : all)
        net::complete_later(one->executor, std::move(one->done), error_code());
}

asio::awaitable<void> gate::wait()
{
    if (open_)
        co_return;
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    co_await async_wait(executor, net::use);
}

void gate::start_wait(asio::any_io_executor executor, asio::any_completion_handler<void(error_code)> done)
{
    auto slot = asio::get_associated_cancellation_slot(done);
    auto one = std::make_shared<waiter>(waiter{std::move(executor), std::move(done)});
    const auto place = waiting_->insert(waiting_->end(), one);
    if (!slot.is_connected())
        return;
    // The list is the proof that the waiter has not been completed: who is in it, is.
    slot.assign([list = std::weak_ptr(waiting_), weak = std::weak_ptr(one), place](asio::cancellation_type) {
        const auto alive = weak.lock();
        const auto held = list.lock();
        if (!alive || !held || !alive->done)
            return;
        held->erase(place);
        net::complete_later(alive->executor, std::move(alive->done),
                            error_code(asio::error::operation_aborted));
    });
}

} // namespace postrider::app
