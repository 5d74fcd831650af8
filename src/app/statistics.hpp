// SPDX-License-Identifier: MIT
#pragma once
// app/statistics: what a run cost: time, processor, memory.

#include <chrono>
#include <string>
#include <sys/resource.h>

namespace postrider::app {

/// What the system has counted for this process.
rusage used_so_far() noexcept;

/// "Ran 61.005 s; processor 1.256 s: 1.250 s user, 0.006 s system."
std::string time_used(std::chrono::nanoseconds wall, const rusage& used);

/// "Memory at most 5.5 MiB, 0 pages of it from disk; context switches: 1 voluntary, 12 not."
std::string memory_used(const rusage& used);

} // namespace postrider::app
