// SPDX-License-Identifier: MIT
#pragma once
// app/log_descriptor: lines of the log into a file descriptor, each with one write(2).
//
// A line that cannot be written (a full disk, a pipe that nobody reads) is counted; with the first that
// can be written again it is said how many are missing, and why. Not for two threads: the hub has a lock.

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

namespace postrider::app {

class log_descriptor : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    /// Does not close `descriptor`. `lost` counts what could not be written, beyond this sink's life.
    log_descriptor(int descriptor, std::unique_ptr<spdlog::formatter> form, std::atomic<std::uint64_t>& lost);

    int descriptor() const noexcept { return descriptor_; }

protected:
    void use(int descriptor) noexcept { descriptor_ = descriptor; }   ///< from the next line on
    void say(spdlog::level::level_enum level, std::string_view text); ///< a line of the log's own

private:
    void sink_it_(const spdlog::details::log_msg& line) final;
    void flush_() final {}

    // These return an errno, or 0.
    int say_what_is_missing();
    int write_line(const spdlog::details::log_msg& line);
    int write_all(std::string_view octets);
    void note_lost(int why);

    int descriptor_;
    std::atomic<std::uint64_t>& lost_;
    std::uint64_t missing_ = 0; // lost, and not said yet
    int why_missing_ = 0;       // errno of the last of them
    bool torn_ = false;         // what was written last has no end
    bool stuck_ = false;        // who reads was waited for once, and is not with every line
};

} // namespace postrider::app
