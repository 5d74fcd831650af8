// SPDX-License-Identifier: MIT
#pragma once
// delivery/decisive_reply: of all that a server said about one message, the words that decided it.
//
// The reply to the end of data; without one, the refusal of MAIL or DATA; without that, what was said
// about the last recipient.

#include "postrider/report.hpp"

#include <string>
#include <vector>

namespace postrider::delivery {

/// Nothing if nobody was answered.
const reply* decisive_reply(const std::vector<recipient_report>& recipients);

/// Its text without the code, on one line, escaped: "2.0.0 queued as 42".
std::string text_of(const reply& said);

} // namespace postrider::delivery
