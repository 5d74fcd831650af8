// SPDX-License-Identifier: MIT
#pragma once
// app/statistics: what a run cost: time, processor, memory.

#include <chrono>
#include <string>
#include <sys/resource.h>

namespace postrider::app {

/// What the system has counted for this process.
rusage used_so_far() noexcept;

/// Two lines: "it ran 12.3 s and used 0.120 s of the processor (0.100 s user, 0.020 s system)", "..."
std::string time_used(std::chrono::nanoseconds wall, const rusage& used);
std::string memory_used(const rusage& used);

} // namespace postrider::app
