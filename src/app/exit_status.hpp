// SPDX-License-Identifier: MIT
#pragma once
// app/exit_status: how a program ends, in the numbers of sysexits.h.

namespace postrider::app {

enum exit_status : int {
    exit_ok = 0,             ///< all that was asked for was done
    exit_usage = 64,         ///< the command line
    exit_data = 65,          ///< input is malformed
    exit_no_input = 66,      ///< input cannot be read
    exit_no_host = 68,       ///< no such domain, or one that takes no mail
    exit_unavailable = 69,   ///< somebody said no, for good
    exit_software = 70,      ///< a bug of ours
    exit_os = 71,            ///< the operating system
    exit_cannot_create = 73, ///< output cannot be made
    exit_io = 74,            ///< output cannot be written
    exit_temporary = 75,     ///< not now; another attempt may succeed
    exit_protocol = 76,      ///< the peer broke the protocol
    exit_no_permission = 77, ///< authentication was refused
    exit_config = 78,        ///< configuration
};

} // namespace postrider::app
