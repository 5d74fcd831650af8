// SPDX-License-Identifier: MIT
#pragma once
// delivery/completion: how the result of an operation reaches the caller, whatever token asked.
//
// With a token that hands the error over (a callback, as_tuple, redirect_error) an operation
// completes with `(error_code, T)`. With one that throws it (use_awaitable, use_future, and those
// are the default) what is thrown owns the T as well: a plain use_awaitable would lose the report
// just when it is needed most.

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>

#include <exception>
#include <type_traits>

namespace boost::asio {
template <typename Allocator>
class use_future_t;
} // namespace boost::asio

namespace postrider {

using default_token = boost::asio::use_awaitable_t<>;

/// True for tokens that turn an error into an exception. Specialise it for one of your own.
template <class Token>
struct token_throws : std::false_type {};
template <class Executor>
struct token_throws<boost::asio::use_awaitable_t<Executor>> : std::true_type {};
template <class Allocator>
struct token_throws<boost::asio::use_future_t<Allocator>> : std::true_type {};

// A token inside another that says where its handler runs, or what ends it.
template <class Token, class Executor>
struct token_throws<boost::asio::executor_binder<Token, Executor>> : token_throws<Token> {};
template <class Token, class Slot>
struct token_throws<boost::asio::cancellation_slot_binder<Token, Slot>> : token_throws<Token> {};

template <class Result>
using completion = boost::asio::any_completion_handler<void(boost::system::error_code, Result)>;

/// The exception for an error that came with a result; see send_error and connect_error.
template <class Result>
std::exception_ptr exception_for(boost::system::error_code ec, const Result& result);

/// Starts an operation. `start` takes a completion<Result>.
template <class Result, class Token, class Start>
auto initiate(Token&& token, Start start)
{
    if constexpr (token_throws<std::decay_t<Token>>::value) {
        return boost::asio::async_initiate<Token, void(std::exception_ptr, Result)>(
            [](auto done, Start begin) {
                const auto executor = boost::asio::get_associated_executor(done);
                const auto slot = boost::asio::get_associated_cancellation_slot(done);
                auto adapted = [done = std::move(done)](boost::system::error_code ec, Result result) mutable {
                    std::exception_ptr thrown = ec ? exception_for(ec, result) : nullptr;
                    std::move(done)(std::move(thrown), std::move(result));
                };
                begin(completion<Result>(boost::asio::bind_cancellation_slot(
                    slot, boost::asio::bind_executor(executor, std::move(adapted)))));
            },
            token, std::move(start));
    } else {
        return boost::asio::async_initiate<Token, void(boost::system::error_code, Result)>(
            [](auto done, Start begin) { begin(completion<Result>(std::move(done))); }, token,
            std::move(start));
    }
}

} // namespace postrider
