// SPDX-License-Identifier: MIT
#pragma once
// cli/exit_status: how the commands end, in the numbers of sysexits.h.

#include "postrider/report.hpp"

#include <vector>

namespace postrider::cli {

enum exit_status : int {
    exit_ok = 0,             ///< everything was delivered
    exit_usage = 64,         ///< the command line
    exit_data = 65,          ///< a message or an address is malformed
    exit_no_input = 66,      ///< input cannot be read
    exit_no_host = 68,       ///< no such domain, or one that takes no mail
    exit_unavailable = 69,   ///< at least one recipient was refused
    exit_software = 70,      ///< a bug of ours
    exit_os = 71,            ///< the operating system
    exit_cannot_create = 73, ///< output cannot be made
    exit_io = 74,            ///< output cannot be written
    exit_temporary = 75,     ///< at least one is deferred, in doubt or untried, and none refused
    exit_protocol = 76,      ///< the peer broke the protocol before anything was settled
    exit_no_permission = 77, ///< authentication was refused
    exit_config = 78,        ///< configuration
};

exit_status status_of(const std::vector<report>& reports);

} // namespace postrider::cli
