// SPDX-License-Identifier: MIT
#pragma once
// support/player: plays a transcript against the client session, in every way the network may cut it.
//
// check() does without being asked: the server's octets whole, and in pieces of 1, 2, 7 and 60, both
// known to be pieces and as if each came alone; the replies before the driver tells that the command
// has been written; and for every step the connection lost, the time run out and the caller gone
// there, and the connection lost in the middle of what the server says there.
//
// Whole, everything must be as written: each octet the client writes, in order with what the server
// says, and every outcome. In pieces the outcomes must be the same; in pieces that come alone they
// may be honestly worse, for then a reply that answers nothing may be found out later. Cut short,
// what the server had decided stands, and the rest is lost.
//
// Honest, in every way: each submitted message comes back once, with one outcome a recipient, in
// order; delivered are those alone whose 2yz came after their end of data; in doubt are those, and
// only those, whose end of data was written when the conversation broke; no wait is without a limit.

#include "support/transcript.hpp"

#include <string>
#include <string_view>
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
    bool diverged = false; ///< the session had to go on before it could see all that had come
};
played play(const transcript& script);

} // namespace postrider::test
