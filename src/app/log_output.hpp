// SPDX-License-Identifier: MIT
#pragma once
// app/log_output: where the lines of the whole process go, and in which form. spdlog is met behind it.
//
// Text: `2026-11-22T10:58:08+0000 [prefix] text`; JSON: one object a line with "time" (UTC, microseconds),
// "level", "prefix", "text". Writing to a file is one write(2) a line, appended, so that lines are never
// torn or lost when the file is renamed underneath; nothing is buffered across a crash.

#include "postrider/app/log.hpp"

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace postrider::app {

struct log_destination {
    enum class kind { standard_output, standard_error, file, syslog } what = kind::standard_error;
    std::string path; ///< of a file
    std::string syslog_prefix;
    bool json = false;
    log_level least = log_level::info;
};

/// From now on all lines go there. Throws std::system_error, with the path in its text, if a file cannot
/// be opened; then nothing has changed.
void open_log(const log_destination& where);

/// Opens the file again under its name, as after a rotation by somebody else (SIGHUP). False if there is
/// no file, or it cannot be opened: that is said in the old one, which stays.
bool reopen_log();

/// path becomes path.1, path.1 path.2 and so on to path.9 (SIGUSR1), and a new file is begun. No line is
/// lost: all go to the one or the other. False if there is no file to rotate, or it cannot be: that is
/// said in the old one, which stays.
bool rotate_log();

/// The file belongs to `user` and `group`, and so do those that follow it, so that it can be opened again
/// when root was given up. A terminal, a pipe or a device is not given away.
void give_log_to(uid_t user, gid_t group);

std::uint64_t lines_lost() noexcept; ///< that could not be written: a full disk

} // namespace postrider::app
