// SPDX-License-Identifier: MIT
#pragma once
// delivery/question: asking a program that may answer later, and no longer wanting to know.
//
// A program's coroutine runs as one of its own: what it does to its cancellation state is its business,
// and what it throws is its answer. Whoever no longer wants to know has it cancelled, and goes on when
// it has ended.

#include "delivery/operation.hpp"
#include "net/complete.hpp"
#include "net/use.hpp"
#include "postrider/app/eventually.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace postrider::delivery {

/// One of the two.
template <class T>
struct answer {
    std::optional<T> value;
    std::exception_ptr thrown;
};

/// One at a time.
class questions {
public:
    template <class T>
    asio::awaitable<answer<T>> wait_for(asio::any_io_executor executor, app::eventually<T> promised)
    {
        if (promised.ready()) {
            answer<T> now;
            T value = co_await promised.get();
            now.value.emplace(std::move(value));
            co_return now;
        }
        const auto place = std::make_shared<answer<T>>();
        const auto stop = std::make_shared<stop_signal>();
        under_way_ = stop;
        asio::awaitable<void> work = answer_into(stop, promised.get(), place);
        co_await async_run(std::move(executor), std::move(work), stop, net::use);
        under_way_.reset();
        co_return std::move(*place);
    }

    /// The answer to the question under way, if there is one, will be that it was cancelled.
    void give_up()
    {
        if (const auto stop = under_way_)
            stop->emit();
    }

private:
    template <class T>
    static asio::awaitable<void> answer_into(std::shared_ptr<stop_signal> stop, asio::awaitable<T> later,
                                             std::shared_ptr<answer<T>> place)
    {
        co_await begin(std::move(stop));
        co_await asio::this_coro::throw_if_cancelled(true); // as a program's coroutine expects it
        try {
            T value = co_await std::move(later);
            place->value.emplace(std::move(value));
        } catch (...) {
            place->thrown = std::current_exception();
        }
    }

    static void start(const asio::any_io_executor& executor, asio::awaitable<void> work,
                      const std::shared_ptr<stop_signal>& stop, asio::any_completion_handler<void()> done)
    {
        auto slot = asio::get_associated_cancellation_slot(done);
        if (slot.is_connected())
            slot.assign([executor, weak = std::weak_ptr<stop_signal>(stop)](asio::cancellation_type) {
                asio::post(executor, [weak] {
                    if (const auto alive = weak.lock())
                        alive->emit();
                });
            });
        auto end = [executor, stop, done = std::move(done)](std::exception_ptr) mutable {
            net::complete_later(executor, std::move(done));
        };
        asio::co_spawn(executor, std::move(work), asio::bind_cancellation_slot(stop->slot(), std::move(end)));
    }

    template <asio::completion_token_for<void()> Token>
    static auto async_run(asio::any_io_executor executor, asio::awaitable<void> work,
                          std::shared_ptr<stop_signal> stop, Token&& token)
    {
        return asio::async_initiate<Token, void()>(
            [](auto done, asio::any_io_executor e, asio::awaitable<void> w, std::shared_ptr<stop_signal> s) {
                start(e, std::move(w), s, asio::any_completion_handler<void()>(std::move(done)));
            },
            token, std::move(executor), std::move(work), std::move(stop));
    }

    std::shared_ptr<stop_signal> under_way_;
};

} // namespace postrider::delivery
