// SPDX-License-Identifier: MIT
#pragma once
// support/transcript: a conversation written down, the one notation of tests, documents and traces.
//
//     # RFC 2920 §3.1: a 354 that no recipient deserves is answered by the lone dot
//     > from ann@a.example to eve@b.example text "Subject: hi\r\n\r\nhello\r\n"
//     S: 220 mx.b.example ESMTP
//     C: EHLO relay.example
//     ...
//     !: connection lost
//     = eve@b.example refused 550
//     = failure "the server answered what was not asked"
//
// `#` a comment. `>` what the application wants: a message (`from`, `to` with one address or more,
// `text` in quotes; `from <>` is the null reverse-path; `seven-bit` or `eight-bit` say what is known
// of the body), or a setting on a line of its own: `> no pipelining`, `> together` (all messages are
// submitted before the connection is made, not one after the other), `> stay` (no goodbye).
//
// `C:` a line that the client must write, `S:` one that the server says; in both \r \n \t \\ \xNN
// mean what they do in C, and \c at the end leaves the line end out. `S:` between `C:` lines of a
// body is said while the body is being written. `!:` what the network does: `connection lost`,
// `timed out`, `cancelled`; and what the body's source may do: `body fails`, `body is 8-bit`.
//
// `=` what must come out: an address with its verdict (`in-doubt` with a hyphen) and, if given, the
// code of the reply; in the order of messages and recipients. `= failure "words"` says that the
// conversation broke and what its sentence holds; without such a line it must not have broken.

#include "postrider/address.hpp"
#include "postrider/verdict.hpp"
#include "smtp/transaction.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::test {

struct transcript {
    struct message {
        smtp::transaction envelope;
        std::string text;
    };
    struct step {
        char who;         ///< 'C', 'S' or '!'
        std::string text; ///< 'C' and 'S': octets with their line end; '!': the words
        int line;         ///< where it stands in the file
    };
    struct expected {
        std::string recipient;
        postrider::verdict verdict;
        std::optional<int> code;
        int line;
    };

    std::string title;
    std::vector<message> messages;
    std::vector<step> steps;
    std::vector<expected> outcomes;
    std::optional<std::string> failure;
    bool pipelining = true, together = false, stay = false;

    /// Throws std::runtime_error that names the line.
    static transcript parse(std::string_view text);
};

} // namespace postrider::test
