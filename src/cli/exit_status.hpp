// SPDX-License-Identifier: MIT
#pragma once
// cli/exit_status: how the commands end that deliver: from verdicts to a number.

#include "app/exit_status.hpp"
#include "postrider/report.hpp"

#include <vector>

namespace postrider::cli {

using app::exit_status;
using enum app::exit_status;

/// exit_ok: everything was delivered. exit_no_host: no such domain, or one that takes no mail.
/// exit_unavailable: at least one recipient was refused. exit_temporary: at least one is deferred, in
/// doubt or untried, and none refused. exit_protocol: the peer broke the protocol before anything was
/// settled.
exit_status status_of(const std::vector<report>& reports);

} // namespace postrider::cli
