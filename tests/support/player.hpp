// SPDX-License-Identifier: MIT
#pragma once
// support/player: plays a transcript against the client session, in every way the network may cut it.
//
// check() does without being asked: the server's octets whole, and in pieces of 1, 2, 7 and 60, both
// known to be pieces and as if each came alone; and once for every step with the connection lost
// there. Whole, everything must be as written: each octet the client writes, in order with what the
// server says, and every outcome. In pieces the outcomes must be the same or honestly worse. Cut,
// every recipient must have one outcome, nothing may be delivered whose 2yz had not come, and in
// doubt are those, and only those, whose end of data was written and not answered.

#include "support/transcript.hpp"

#include <string>
#include <vector>

namespace postrider::test {

/// Every way in which the session did not do as written, as sentences; empty is good.
std::vector<std::string> check(const transcript& script);
std::vector<std::string> check(std::string_view text);

/// One play, server's octets whole.
struct played {
    std::vector<smtp::outcome> outcomes; ///< of all messages, in order
    std::string failure;                 ///< the sentence, if the conversation broke
    std::vector<std::string> complaints;
};
played play(const transcript& script);

} // namespace postrider::test
