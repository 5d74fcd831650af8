// SPDX-License-Identifier: MIT
// app/statistics_test: numbers of the system in words.

#include "app/statistics.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace postrider::app {
namespace {

using namespace std::chrono_literals;

rusage used()
{
    rusage r{};
    r.ru_utime = {1, 250'000};
    r.ru_stime = {0, 6'000};
    r.ru_maxrss = 5 * 1024 + 512; // KiB
    r.ru_nvcsw = 1;
    r.ru_nivcsw = 12;
    r.ru_majflt = 0;
    return r;
}

TEST(statistics, say_what_time_was_used)
{
    EXPECT_EQ(time_used(61s + 5ms, used()), "Ran 61.005 s; processor 1.256 s: 1.250 s user, 0.006 s system.");
}

TEST(statistics, say_what_memory_was_used)
{
    EXPECT_EQ(memory_used(used()),
              "Memory at most 5.5 MiB, 0 pages of it from disk; context switches: 1 voluntary, 12 not.");
}

TEST(statistics, count_this_process) { EXPECT_GT(used_so_far().ru_maxrss, 0); }

} // namespace
} // namespace postrider::app
