// SPDX-License-Identifier: MIT
#pragma once
// app/backoff: how long to wait before the next attempt.
//
// Full jitter: the n-th wait is evenly distributed between 0 and initial × factor^n, and no longer than
// the maximum, so that a thousand clients that lost the same server do not come back in step.

#include <chrono>
#include <cstdint>
#include <functional>

namespace postrider::app {

class backoff {
public:
    using duration = std::chrono::milliseconds;

    /// 1 s, times 1.5 each, up to 60 s. Throws std::invalid_argument if initial is not above 0, factor
    /// is below 1, or maximum is below initial.
    explicit backoff(duration initial = std::chrono::seconds(1), double factor = 1.5,
                     duration maximum = std::chrono::seconds(60));

    /// The longest that the next wait can be; counts one attempt.
    duration next_bound() noexcept;

    /// The next wait: `random` returns a number below its argument, which is at least 1.
    duration next(const std::function<std::uint32_t(std::uint32_t)>& random);

    void reset() noexcept { attempts_ = 0; }
    duration maximum() const noexcept { return maximum_; }
    unsigned attempts() const noexcept { return attempts_; } ///< since the last reset

private:
    duration initial_, maximum_;
    double factor_;
    unsigned attempts_ = 0;
};

} // namespace postrider::app
