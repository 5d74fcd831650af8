// SPDX-License-Identifier: MIT
#pragma once
// net/environment: the one door to the outside world: connect, resolve, now, wait, random.
//
// Everything above asks the world through it, so all of it can be simulated: a test gives a world
// of its own, with its own DNS, its own network and a clock that only moves when nothing else does.
//
// Threads: one at a time, that of executor(). Waits and connects honour cancellation slots.

#include "net/asio.hpp"
#include "net/clock.hpp"
#include "net/endpoint.hpp"
#include "net/resolver.hpp"
#include "net/socket_stream.hpp"

#include <cstdint>
#include <memory>

namespace postrider::net {

class environment {
public:
    virtual ~environment() = default;

    virtual asio::any_io_executor executor() const = 0;
    virtual time_point now() const = 0;
    virtual void wait_until(time_point when, timer_service::handler done) = 0;
    virtual resolver& names() = 0;
    virtual void connect(const endpoint& to, connect_handler done) = 0;

    /// Below `bound`, which is not 0. For order and jitter, not for secrets.
    virtual std::uint32_t random(std::uint32_t bound) = 0;

    template <asio::completion_token_for<void(error_code)> Token>
    auto async_wait_until(time_point when, Token&& token)
    {
        return asio::async_initiate<Token, void(error_code)>(
            [this](auto done, time_point w) { wait_until(w, std::move(done)); }, token, when);
    }
};

/// The real one, on the loop of `executor`.
std::shared_ptr<environment> make_environment(asio::any_io_executor executor, resolver_options options = {});

} // namespace postrider::net
