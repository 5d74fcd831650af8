// SPDX-License-Identifier: MIT
#pragma once
// smtp/server_step: the words between a receiving session and its driver: what it asks, what it is told.
//
// Each ask is answered by one tell, which its comment names. Besides, `receive` and `send` may be
// answered by `closed`, and by `idle` when the wait named in them is over.

#include "postrider/reply.hpp"
#include "smtp/command_parser.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace postrider::smtp::server {

/// One message on its way in: what MAIL, RCPT and DATA have said about it so far.
struct transaction {
    std::string hello;    ///< what the client called itself
    bool esmtp = false;   ///< it said so with EHLO
    path from;            ///< without a mailbox: the null reverse-path
    std::vector<path> to; ///< those that were accepted; without a mailbox: <postmaster>
    bool smtputf8 = false;
    bool eight_bit_mime = false;
    std::optional<std::uint64_t> declared_size;
    std::uint64_t octets = 0; ///< of content, dots unstuffed, handed up so far

    /// As they stand in an envelope: "" for the null reverse-path, "postmaster" for the mailbox
    /// without a domain.
    std::string reverse_path() const;
    std::vector<std::string> forward_paths() const;
};

/// A reply that the application gives. Its text may have several lines, parted by LF; what must not
/// stand in a reply is replaced before it leaves.
struct answer {
    int code = 250;
    enhanced_code status{2, 0, 0};
    std::string text;

    bool positive() const noexcept { return code / 100 == 2; }
};

namespace ask {

/// Read what comes, for as long as `wait` (told::received). The octets of the last told::received
/// are not looked at any more.
struct receive {
    std::chrono::seconds wait;
};
/// Write all of it, taking no longer than `wait` (told::sent).
struct send {
    std::string_view octets;
    std::chrono::seconds wait;
};
/// May this sender's mail come in (told::decision)? The transaction has no recipient yet.
struct sender {
    const transaction& so_far;
};
/// May it go to this recipient as well (told::decision)? `so_far` does not hold it yet.
struct recipient {
    const transaction& so_far;
    const path& who;
};
/// The message begins, unless the decision says no (told::decision). Whatever content was held of an
/// earlier message that never came to `complete` is void.
struct begin {
    const transaction& what;
};
/// The next octets of the message (told::taken).
struct content {
    std::string_view octets;
};
/// The message is complete. The decision is the reply to it: with a 2yz the application has taken
/// responsibility (told::decision, however long that takes).
struct complete {
    const transaction& what;
};
/// Close the connection; nothing more may be said to this session. `why` is a sentence of ours.
struct close {
    std::string_view why;
};

} // namespace ask

namespace told {

/// Somebody connected. `busy`: there are too many sessions already, say so and part.
struct connected {
    bool busy = false;
};
/// Octets came. They must stay where they are until the session asks to receive again.
struct received {
    std::string_view octets;
};
struct sent {};
struct decision {
    answer reply;
};
struct taken {};
struct closed {}; ///< the peer closed or lost the connection
struct idle {};   ///< the wait is over

} // namespace told

using action = std::variant<ask::receive, ask::send, ask::sender, ask::recipient, ask::begin, ask::content,
                            ask::complete, ask::close>;
using event = std::variant<told::connected, told::received, told::sent, told::decision, told::taken,
                           told::closed, told::idle>;

} // namespace postrider::smtp::server
