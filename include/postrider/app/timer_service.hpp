// SPDX-License-Identifier: MIT
#pragma once
// app/timer_service: calls a function again and again.
//
// The first time when it starts, then every `step`; a call that takes longer, or a coroutine that has
// not ended, is waited for, and the steps that it covered are left out. A call that fails is logged and
// the timer goes on, unless it was told to end with the first failure. Stopping waits for the call that
// is under way.

#include "postrider/app/eventually.hpp"
#include "postrider/app/service.hpp"

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace postrider::app {

class timer_service : public service {
public:
    using call = std::function<eventually<void>()>;

    /// `what` returns nothing, an awaitable<void>, or an eventually<void>. `step` is more than 0:
    /// std::invalid_argument.
    template <std::invocable What>
    timer_service(std::chrono::nanoseconds step, What what, std::string name = {})
        : timer_service(std::in_place, step, as_call(std::move(what)), std::move(name))
    {
    }
    ~timer_service() override;

    timer_service& end_at_failure(bool yes = true); ///< the first failing call is the last

protected:
    void on_start() override;
    eventually<void> on_stop() override;

private:
    template <class What>
    static call as_call(What what)
    {
        if constexpr (std::is_void_v<std::invoke_result_t<What&>>)
            return [what = std::move(what)]() mutable -> eventually<void> {
                what();
                return {};
            };
        else
            return [what = std::move(what)]() mutable -> eventually<void> { return what(); };
    }
    timer_service(std::in_place_t, std::chrono::nanoseconds step, call what, std::string name);

    struct state;
    std::shared_ptr<state> state_;
};

} // namespace postrider::app
