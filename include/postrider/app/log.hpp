// SPDX-License-Identifier: MIT
#pragma once
// app/log: what a program says about itself while it runs, one line at a time.
//
//     2026-11-22T10:58:08+0000 [smtp_tutorial_client,client] Sent 1 messages
//
// A logger is a prefix: who speaks. Where lines go is decided once for the whole process, by the runner
// (postrider/app/run.hpp) or by set_log_observer(); until then they go to standard error, from `info` on.
// Control characters are escaped, so that what a server said cannot forge a line; a line is cut at 8 KiB.
//
// Threads: any. Logging never throws; a line that cannot be written is counted and reported later.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace postrider::app {

enum class log_level { debug, info, warning, error };

std::string_view to_string(log_level level) noexcept; ///< "warning"

class logger {
public:
    explicit logger(std::string prefix = "-");

    void debug(std::string_view text) const { write(log_level::debug, text); }
    void info(std::string_view text) const { write(log_level::info, text); }
    void warning(std::string_view text) const { write(log_level::warning, text); }
    void error(std::string_view text) const { write(log_level::error, text); }
    void write(log_level level, std::string_view text) const;

    /// For lines that a peer can cause as often as it likes: at most `burst` of them in a second for
    /// each `key`, a word of the caller's, whatever the prefix; how many were left out is said with the
    /// next that is written. A second is one of the wall clock.
    void limited(log_level level, std::string_view key, std::string_view text, unsigned burst = 10) const;

    const std::string& prefix() const noexcept { return prefix_; }

private:
    std::string prefix_;
};

/// One line, as an observer sees it: escaped, and without its end.
struct log_line {
    std::chrono::system_clock::time_point when;
    log_level level;
    std::string_view prefix, text;
};

/// Lines go to `observer` instead, from `least` on; an empty one gives back what was before. It is
/// called by the thread that logs, one call at a time. What it logs itself is lost, as is the line that it
/// throws for; it must not change where lines go.
void set_log_observer(std::function<void(const log_line&)> observer, log_level least = log_level::info);

} // namespace postrider::app
