// SPDX-License-Identifier: MIT
#pragma once
// smtp/session: the client side of one ESMTP connection, from the greeting to QUIT, without I/O.
//
// A session is asked one question, "this happened; what now?", and gives one answer: an action for
// its driver (smtp/step.hpp). It opens no socket, reads no clock, starts no thread and writes no
// log, so the same code runs over TCP, over a simulated network and inside a fuzzer.
//
// It stands on two queues: what has been said and waits for its reply, and the messages that were
// submitted. A reply answers the oldest command, and nothing else pairs the two; how far saying may
// run ahead of answering is decided in one place. Today one message is on its way at a time, its
// envelope and DATA in one group where PIPELINING is offered (RFC 2920), else command by command.
//
// Promises:
// - Every submitted message comes back from take_settled() with one outcome a recipient, whatever
//   happens: a refusal, a cut at any octet, nonsense, a time limit, a cancel.
// - A reply that nobody asked for ends the session, and so does the beginning of one when a group of
//   commands or a body is about to leave. 421 then is the server's goodbye.
// - A reply that came before its command left is not taken for the command's answer.
// - Nothing is called delivered but by a 2yz that came after the last octet of its end of data.
// - QUIT is never said behind an unanswered command, and what becomes of it changes nothing. A
//   server that refuses to work with us is told QUIT; one that broke off or spoke nonsense is not.
// - A 354 that no recipient deserves is answered by the lone dot (RFC 2920 §3.1).
// - A connection that has served a message and dies before it answers the next costs that one
//   nothing: untried, and so is every message whose turn had not come.
//
// A server that says no is not an error: the refusal is in the outcomes. Errors are for
// conversations that cannot go on; failure() has them.
//
// RFC 5321 §3, §4; RFC 2920; RFC 6152 and RFC 6531 for the two parameters of MAIL.

#include "smtp/extensions.hpp"
#include "smtp/mail_progress.hpp"
#include "smtp/session_table.hpp"
#include "smtp/step.hpp"
#include "smtp/transaction.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace postrider::smtp {

struct session_options {
    std::string our_name;   ///< for EHLO: a domain or an address literal, in ASCII; see parse_domain()
    bool pipelining = true; ///< false: command by command, whatever the server offers
};

class session {
public:
    explicit session(session_options options);
    session(session&&) noexcept;
    session& operator=(session&&) noexcept;
    ~session();

    /// Puts a message in the queue; tell `submitted` afterwards. At least one recipient. Returns
    /// the id under which ask::body will ask for it and take_settled() will give it back.
    std::uint64_t submit(transaction what);

    /// Tells the session what happened; returns the one thing to do next. An event that cannot
    /// follow the last action is a bug in the driver, and asserted. Views inside the returned action
    /// stay valid until `written` is told, or the next call if it is no ask::write.
    [[nodiscard]] action resume(const event& what);

    /// The next message that has ended, if one has, in the order of submission.
    std::optional<settled_transaction> take_settled();

    session_state state() const noexcept;
    bool closed() const noexcept { return state() == session_state::closed; }

    /// What the server offered in its last reply to EHLO; nothing after HELO.
    const extensions& offered() const noexcept;

    /// The greeting, once it has come.
    const std::shared_ptr<const reply>& greeting() const noexcept;

    /// Why the conversation ended, if it did not end in peace. While the session lives, and after
    /// a goodbye: nothing.
    const std::optional<session_failure>& failure() const noexcept;

private:
    struct machine;
    std::unique_ptr<machine> machine_;
};

} // namespace postrider::smtp
