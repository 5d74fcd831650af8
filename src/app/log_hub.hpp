// SPDX-License-Identifier: MIT
#pragma once
// app/log_hub: where all loggers of the process meet: the level, the observer or the sink, and one lock.
//
// One lock for everything, and no thread of its own: a line costs a write(2) under it, which the kernel
// would serialise anyway, and after a fork(2) of one thread everything works on.

#include "app/log_limits.hpp"
#include "app/log_output.hpp"
#include "postrider/app/log.hpp"

#include <spdlog/sinks/sink.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <sys/types.h>

namespace postrider::app {

class log_file;

class log_hub {
public:
    using observer = std::function<void(const log_line&)>;

    log_hub();

    bool wants(log_level level) const noexcept { return level >= least_.load(std::memory_order_relaxed); }

    void write(log_level level, std::string_view prefix, std::string_view text) noexcept;
    void write_limited(log_level level, std::string_view prefix, std::string_view key, std::string_view text,
                       unsigned burst) noexcept;

    void observe(observer who, log_level least);
    void open(const log_destination& where);
    bool reopen();
    bool rotate();
    void give_to(uid_t user, gid_t group);

    std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

private:
    using time_point = std::chrono::system_clock::time_point;

    template <class Work>
    void alone(Work work) noexcept;

    void put(time_point when, log_level level, std::string_view prefix, std::string_view text);
    void tell_observer(time_point when, log_level level, std::string_view prefix, std::string_view text);

    std::mutex mutex_;
    std::atomic<log_level> least_ = log_level::info; // of the observer, if there is one, else of the sink
    std::atomic<std::uint64_t> lost_ = 0;
    std::shared_ptr<spdlog::sinks::sink> sink_;
    std::shared_ptr<log_file> file_; // the sink, if it is one
    log_level sink_least_ = log_level::info;
    observer observer_;
    log_limits limits_;
};

/// The one of this process. It is never destroyed, so that destructors of other statics may log.
log_hub& the_log() noexcept;

} // namespace postrider::app
