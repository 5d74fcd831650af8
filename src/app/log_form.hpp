// SPDX-License-Identifier: MIT
#pragma once
// app/log_form: how a line of the log is written: as text for people, or as JSON for programs.
//
// Both are safe to show on a terminal whatever was logged. As text, control characters and what is not
// UTF-8 are escaped as base::escaped() does, but backslashes stand for themselves: most of what a peer
// said was escaped once on its way here, and twice cannot be read. As JSON nothing is lost but octets
// that are not UTF-8, each of which becomes U+FFFD. A line has at most log_line_octets_max octets and
// ends in "..." where something was left out. Plain ASCII is written without an allocation.
//
// A form remembers the last second that it wrote, so it belongs to one sink and is not for two threads.

#include <spdlog/formatter.h>

#include <cstddef>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace postrider::app {

inline constexpr std::size_t log_line_octets_max = 8192; ///< its end included

/// What stands around the words: all of it, or what syslogd does not add itself (no time, no end).
enum class log_frame { whole, for_syslog };

/// `2026-11-22T10:58:08+0000 [prefix] warning: text`, in local time. `info` has no word.
std::unique_ptr<spdlog::formatter> text_form(log_frame frame);

/// `{"time":"2026-11-22T10:58:08.000000Z","level":"info","prefix":"...","text":"..."}`
std::unique_ptr<spdlog::formatter> json_form(log_frame frame);

/// Appends `text`, escaped as text lines are, in at most `room` octets.
void append_escaped(spdlog::memory_buf_t& out, std::string_view text, std::size_t room);

} // namespace postrider::app
