// SPDX-License-Identifier: MIT
// app/statistics: getrusage(2) in words.

#include "app/statistics.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

namespace postrider::app {
namespace {

double seconds(const timeval& t)
{
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

} // namespace

rusage used_so_far() noexcept
{
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return used;
}

std::string time_used(std::chrono::nanoseconds wall, const rusage& used)
{
    const double user = seconds(used.ru_utime), system = seconds(used.ru_stime);
    return fmt::format("Ran {:.3f} s; processor {:.3f} s: {:.3f} s user, {:.3f} s system.",
                       std::chrono::duration<double>(wall).count(), user + system, user, system);
}

std::string memory_used(const rusage& used)
{
    return fmt::format(
        "Memory at most {:.1f} MiB, {} of it from disk; context switches: {} voluntary, {} not.",
        static_cast<double>(used.ru_maxrss) / 1024,
        base::counted(static_cast<std::size_t>(used.ru_majflt), "page"), used.ru_nvcsw, used.ru_nivcsw);
}

} // namespace postrider::app
