// SPDX-License-Identifier: MIT
// app/log_output: where the lines of the whole process go, and in which form.

#include "app/log_output.hpp"

#include "app/log_hub.hpp"

namespace postrider::app {

void open_log(const log_destination& where) { the_log().open(where); }

bool reopen_log() { return the_log().reopen(); }

bool rotate_log() { return the_log().rotate(); }

void give_log_to(uid_t user, gid_t group) { the_log().give_to(user, group); }

std::uint64_t lines_lost() noexcept { return the_log().lost(); }

} // namespace postrider::app
