// SPDX-License-Identifier: MIT
// app/backoff: the growing bound, and a wait drawn below it.

#include "postrider/app/backoff.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace postrider::app {

backoff::backoff(duration initial, double factor, duration maximum)
    : initial_(initial), maximum_(maximum), factor_(factor)
{
    if (initial <= duration::zero())
        throw std::invalid_argument("backoff: the initial wait is not above 0");
    if (!(factor >= 1) || !std::isfinite(factor))
        throw std::invalid_argument("backoff: the factor is not a number from 1 on");
    if (maximum < initial)
        throw std::invalid_argument("backoff: the maximum is below the initial wait");
}

// In floating point up to the comparison: after some hundred attempts the power is infinite, which is
// still a number that can be compared, where an integer would have wrapped.
backoff::duration backoff::next_bound() noexcept
{
    const double bound = static_cast<double>(initial_.count()) * std::pow(factor_, attempts_);
    if (attempts_ < std::numeric_limits<unsigned>::max())
        ++attempts_;
    if (!(bound < static_cast<double>(maximum_.count())))
        return maximum_;
    return std::max(initial_, duration(static_cast<duration::rep>(bound)));
}

backoff::duration backoff::next(const std::function<std::uint32_t(std::uint32_t)>& random)
{
    constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    const auto bound = static_cast<std::uint64_t>(next_bound().count());
    if (bound < most) // 0 and the bound itself are both possible
        return duration(random(static_cast<std::uint32_t>(bound) + 1));
    const double part = static_cast<double>(random(most)) / static_cast<double>(most - 1);
    const double wait = part * static_cast<double>(bound);
    if (!(wait < static_cast<double>(maximum_.count()))) // rounded up past what a duration holds
        return maximum_;
    return duration(static_cast<duration::rep>(wait));
}

} // namespace postrider::app
