// SPDX-License-Identifier: MIT
#pragma once
// app/standard_streams: standard input, output and error, which need not be open when a program starts.

namespace postrider::app {

/// Where one of the three is closed, the next thing opened would take its number: a report would be
/// written into the connection to a server. What is put there fails to be read or written instead.
/// False: the system would not let us.
bool fill_standard_streams() noexcept;

/// All three read nothing and write nowhere from now on, as those of a daemon. False: errno says why.
bool silence_standard_streams() noexcept;

} // namespace postrider::app
