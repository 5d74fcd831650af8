// SPDX-License-Identifier: MIT
#pragma once
// app/eventually: an answer that is there now or comes later.
//
// What a callback returns when the caller can wait. Most have their answer at hand and return it; one
// that must ask somebody first returns a coroutine, and nothing else changes:
//
//     eventually<std::string> name() override { return "example.com"; }
//     eventually<std::string> name() override { return ask_the_database(); } // an asio::awaitable
//
// An exception in either is handed to whoever asked.

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <type_traits>
#include <utility>
#include <variant>

namespace postrider::app {

template <class T>
class [[nodiscard]] eventually {
public:
    template <class U>
        requires std::convertible_to<U, T> && (!std::same_as<std::remove_cvref_t<U>, eventually>)
    eventually(U&& now) : state_(std::in_place_index<0>, std::forward<U>(now))
    {
    }
    eventually(boost::asio::awaitable<T> later) : state_(std::in_place_index<1>, std::move(later)) {}

    /// Whether it is there now.
    bool ready() const noexcept { return state_.index() == 0; }

    /// The answer, waited for if it must be. Once. In a coroutine: `co_await what.get()`.
    boost::asio::awaitable<T> get()
    {
        return ready() ? at_once(std::get<0>(std::move(state_))) : std::get<1>(std::move(state_));
    }

private:
    static boost::asio::awaitable<T> at_once(T value) { co_return value; }

    std::variant<T, boost::asio::awaitable<T>> state_;
};

template <>
class [[nodiscard]] eventually<void> {
public:
    eventually() = default;
    eventually(boost::asio::awaitable<void> later) : later_(std::move(later)), ready_(false) {}

    bool ready() const noexcept { return ready_; }
    boost::asio::awaitable<void> get() { return ready_ ? at_once() : std::move(later_); }

private:
    static boost::asio::awaitable<void> at_once() { co_return; }

    boost::asio::awaitable<void> later_;
    bool ready_ = true;
};

} // namespace postrider::app
