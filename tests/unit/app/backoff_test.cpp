// SPDX-License-Identifier: MIT
// app/backoff: the bounds grow to the maximum, and what chance draws below them is used whole.

#include "postrider/app/backoff.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>

namespace postrider::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(backoff, grows_by_its_factor_to_the_maximum)
{
    backoff wait(1s, 2, 10s);
    std::vector<std::int64_t> bounds;
    for (int i = 0; i < 6; ++i)
        bounds.push_back(wait.next_bound().count());
    EXPECT_THAT(bounds, ElementsAre(1000, 2000, 4000, 8000, 10000, 10000));
    EXPECT_EQ(wait.attempts(), 6U);
    wait.reset();
    EXPECT_EQ(wait.attempts(), 0U);
    EXPECT_EQ(wait.next_bound(), 1s);
}

TEST(backoff, is_by_default_that_of_our_clients)
{
    backoff wait;
    EXPECT_EQ(wait.next_bound(), 1000ms);
    EXPECT_EQ(wait.next_bound(), 1500ms);
    EXPECT_EQ(wait.next_bound(), 2250ms);
    for (int i = 0; i < 100; ++i)
        wait.next_bound();
    EXPECT_EQ(wait.next_bound(), 60s);
}

TEST(backoff, waits_from_0_up_to_the_bound)
{
    std::vector<std::uint32_t> asked;
    const auto least = [&](std::uint32_t below) {
        asked.push_back(below);
        return 0U;
    };
    const auto most = [](std::uint32_t below) { return below - 1; };
    backoff wait(1s, 3, 10s);
    EXPECT_EQ(wait.next(least), 0ms);
    EXPECT_EQ(wait.next(most), 3s);
    EXPECT_EQ(wait.next(most), 9s);
    EXPECT_EQ(wait.next(most), 10s);
    EXPECT_THAT(asked, ElementsAre(1001));
}

TEST(backoff, spreads_evenly)
{
    std::mt19937 engine(7);
    const auto random = [&](std::uint32_t below) {
        return std::uniform_int_distribution<std::uint32_t>(0, below - 1)(engine);
    };
    std::array<int, 10> tenths{};
    for (int i = 0; i < 10000; ++i) {
        backoff wait(10s, 1, 10s);
        const auto one = wait.next(random);
        ASSERT_GE(one, 0ms);
        ASSERT_LE(one, 10s);
        ++tenths.at(std::min<std::size_t>(9, one / 1s));
    }
    for (const int count : tenths)
        EXPECT_NEAR(count, 1000, 200); // of a seed that is always the same
}

TEST(backoff, of_any_length_neither_overflows_nor_passes_its_maximum)
{
    constexpr auto longest = backoff::duration::max();
    const auto most = [](std::uint32_t below) { return below - 1; };
    backoff wide(1ms, std::numeric_limits<double>::max(), longest);
    EXPECT_EQ(wide.next_bound(), 1ms);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(wide.next_bound(), longest);
    EXPECT_EQ(wide.next(most), longest);

    backoff days(1s, 10, 24h * 365);
    for (int i = 0; i < 5000; ++i) {
        const auto one = days.next(most);
        ASSERT_GT(one, 0ms);
        ASSERT_LE(one, 24h * 365);
    }
    EXPECT_EQ(days.next(most), 24h * 365);
    EXPECT_EQ(days.next([](std::uint32_t) { return 0U; }), 0ms);
}

TEST(backoff, that_makes_no_sense_is_refused)
{
    EXPECT_THROW(backoff(0s), std::invalid_argument);
    EXPECT_THROW(backoff(-1s), std::invalid_argument);
    EXPECT_THROW(backoff(1s, 0.99), std::invalid_argument);
    EXPECT_THROW(backoff(1s, std::nan("")), std::invalid_argument);
    EXPECT_THROW(backoff(1s, std::numeric_limits<double>::infinity()), std::invalid_argument);
    EXPECT_THROW(backoff(2s, 2, 1s), std::invalid_argument);
    EXPECT_NO_THROW(backoff(2s, 1, 2s));
}

} // namespace
} // namespace postrider::app
