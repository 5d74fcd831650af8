// SPDX-License-Identifier: MIT
#pragma once
// support/sim_mail: what several simulations say about messages and reports.

#include "postrider/message.hpp"
#include "postrider/report.hpp"

#include <string>
#include <string_view>

namespace postrider::test {

/// A message as a server must have got it: each CRLF, lone LF and lone CR a CRLF, and one at the end.
std::string normal_form(std::string_view octets);

/// "delivered, refused 550": the verdicts in order, with the code of the reply if there was one.
std::string verdicts(const report& r);

/// Each recipient's verdict, host, code and sentence, for the output of a test that fails.
std::string in_full(const report& r);

} // namespace postrider::test
