// SPDX-License-Identifier: MIT
#pragma once
// smtp/mail_progress: one mail transaction on its way: what was said of it, what was answered.
//
// Knows which command comes next and settles each recipient exactly once; later replies about a
// settled recipient change nothing. Sending and answering advance apart, so commands may have been
// said whose replies are still to come. When everything is answered, or the conversation is lost,
// outcomes() holds one entry a recipient.

#include "postrider/error.hpp"
#include "smtp/extensions.hpp"
#include "smtp/session_table.hpp"
#include "smtp/transaction.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postrider::smtp {

/// Why a conversation ended before its time.
struct session_failure {
    phase where = phase::none;
    std::error_code error;
    std::string command;               ///< what was being waited for, if a reply was
    std::shared_ptr<const reply> said; ///< the server's words, if words of it ended the conversation
    std::string why;                   ///< our own sentence
};

class mail_progress {
public:
    mail_progress(std::uint64_t id, transaction what);

    std::uint64_t id() const noexcept { return id_; }

    /// Settles what this server cannot take before a word is said of it: an 8-bit body without
    /// 8BITMIME (5.6.3), an address that needs SMTPUTF8 (5.6.7).
    void prepare(const extensions& offered);

    /// The command that comes next, as things are known now; none when only replies, the body or
    /// nothing is left.
    std::optional<verb> next() const noexcept;

    /// Notes that it has been said. For RCPT: of which recipient, the argument of on_rcpt_reply().
    std::size_t say(verb what);

    void on_mail_reply(const std::shared_ptr<const reply>& r);
    void on_rcpt_reply(std::size_t recipient, const std::shared_ptr<const reply>& r);
    void on_data_refused(const std::shared_ptr<const reply>& r);
    void on_end_of_data_reply(const std::shared_ptr<const reply>& r);

    /// A server that says no while the body is still on its way settles everybody; the message
    /// cannot have been accepted, for its end has not been written.
    void on_refusal_in_body(const std::shared_ptr<const reply>& r);

    void on_body_written() noexcept { body_written_ = true; }

    /// The conversation is lost: everybody who is not settled is, as far as is known: in doubt if
    /// the end of data was written; refused if the server permanently refused to talk at all, or
    /// cannot take the body; untried if nothing was said and the caller cancelled; else deferred.
    void lose(const session_failure& failure);

    /// The conversation ended, and it was not about this message: everybody is untried.
    void leave_untried(const session_failure& failure);

    bool begun() const noexcept { return mail_said_; }
    bool answered_at_all() const noexcept { return answered_; }
    bool anyone_left() const noexcept { return unsettled_ > 0; } ///< not yet settled
    /// With MAIL and each RCPT answered: whoever is not settled was accepted.
    bool body_deserved() const noexcept { return anyone_left(); }

    /// True while the server holds a transaction of ours open: RSET before the next one.
    bool open_at_server() const noexcept { return mail_ok_ && !data_done_; }
    void on_data_done() noexcept { data_done_ = true; }
    bool data_done() const noexcept { return data_done_; } ///< its end of data was answered

    bool smtputf8() const noexcept { return smtputf8_; }
    settled_transaction take_outcomes() { return {id_, std::move(outcomes_)}; }

    /// The text of the command that a reply of this kind answers.
    std::string command_text(verb what, std::size_t recipient = 0) const;

private:
    void settle(std::size_t recipient, outcome o);
    void settle_everybody(const outcome& o);
    verdict verdict_after(const session_failure& failure) const;
    outcome decided_by(const std::shared_ptr<const reply>& r, verb what, std::size_t recipient = 0) const;
    static outcome decided_by(const session_failure& failure); // untried, until said otherwise
    void refuse_ourselves(std::size_t recipient, enhanced_code status, std::string why);

    std::uint64_t id_;
    transaction what_;
    std::vector<outcome> outcomes_;
    std::vector<bool> settled_;
    std::size_t unsettled_;
    std::size_t next_recipient_ = 0;
    bool mail_said_ = false, mail_ok_ = false;
    bool data_said_ = false, body_written_ = false, data_done_ = false;
    bool answered_ = false;
    bool smtputf8_ = false, eight_bit_mime_ = false;
};

} // namespace postrider::smtp
