// SPDX-License-Identifier: MIT
// smtp/mail_progress: what each reply means for the recipients of one message.

#include "smtp/mail_progress.hpp"

#include "smtp/command.hpp"

#include <cassert>
#include <utility>

namespace postrider::smtp {
namespace {

// The first digit decides (RFC 5321 §4.2.1). 552 to RCPT is the exception of §4.5.3.1.10: older
// servers say it for "too many recipients" where 452 is meant, unless the enhanced status code tells
// of something else than the protocol (X.5.3, RFC 3463 §3.6), such as a full mailbox (X.2.2).
bool means_too_many_recipients(const reply& r) noexcept
{
    if (r.code() != 552)
        return false;
    return !r.enhanced() || r.enhanced()->subject == 0 || r.enhanced()->subject == 5;
}

verdict verdict_of(const reply& r, verb what) noexcept
{
    if (r.positive())
        return verdict::delivered;
    if (r.transient() || (what == verb::rcpt && means_too_many_recipients(r)))
        return verdict::deferred;
    return verdict::refused;
}

} // namespace

mail_progress::mail_progress(std::uint64_t id, transaction what)
    : id_(id), what_(std::move(what)), outcomes_(what_.recipients.size()),
      settled_(what_.recipients.size(), false), unsettled_(what_.recipients.size())
{
}

void mail_progress::prepare(const extensions& offered)
{
    if (what_.octets == body_octets::eight_bit && !offered.eight_bit_mime()) {
        for (std::size_t i = 0; i < outcomes_.size(); ++i)
            refuse_ourselves(i, {5, 6, 3},
                             "the message has 8-bit octets and the server does not offer 8BITMIME");
        return;
    }
    eight_bit_mime_ = what_.octets != body_octets::seven_bit && offered.eight_bit_mime();

    if (what_.reverse_path && what_.reverse_path->needs_smtputf8() && !offered.smtputf8()) {
        for (std::size_t i = 0; i < outcomes_.size(); ++i)
            refuse_ourselves(i, {5, 6, 7},
                             "the reverse-path is not ASCII and the server does not offer SMTPUTF8");
        return;
    }
    smtputf8_ = what_.reverse_path && what_.reverse_path->needs_smtputf8();
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
        if (!what_.recipients[i].needs_smtputf8())
            continue;
        if (offered.smtputf8())
            smtputf8_ = true;
        else
            refuse_ourselves(i, {5, 6, 7}, "the address is not ASCII and the server does not offer SMTPUTF8");
    }
}

std::optional<verb> mail_progress::next() const noexcept
{
    if (!anyone_left())
        return std::nullopt;
    if (!mail_said_)
        return verb::mail;
    std::size_t recipient = next_recipient_;
    while (recipient < settled_.size() && settled_[recipient])
        ++recipient;
    if (recipient < settled_.size())
        return verb::rcpt;
    // Whoever is left was accepted, or has not been answered: DATA goes out ahead of the replies to
    // RCPT only in a pipelined group, where nobody can know yet who will be (RFC 2920 §3.1).
    if (!data_said_)
        return verb::data;
    return std::nullopt;
}

std::size_t mail_progress::say(verb what)
{
    mail_said_ = true;
    data_said_ = data_said_ || what == verb::data;
    if (what != verb::rcpt)
        return 0;
    while (settled_[next_recipient_])
        ++next_recipient_;
    return next_recipient_++;
}

std::string mail_progress::command_text(verb what, std::size_t recipient) const
{
    switch (what) {
    case verb::mail: return mail_line(what_.reverse_path, {eight_bit_mime_, smtputf8_});
    case verb::rcpt: return rcpt_line(what_.recipients[recipient], smtputf8_);
    default: return std::string(row_of(what).name);
    }
}

void mail_progress::on_mail_reply(const std::shared_ptr<const reply>& r)
{
    answered_ = true;
    if (r->positive()) {
        mail_ok_ = true;
        return;
    }
    settle_everybody(decided_by(r, verb::mail));
}

void mail_progress::on_rcpt_reply(std::size_t recipient, const std::shared_ptr<const reply>& r)
{
    if (!r->positive())
        settle(recipient, decided_by(r, verb::rcpt, recipient));
}

void mail_progress::on_data_refused(const std::shared_ptr<const reply>& r)
{
    settle_everybody(decided_by(r, verb::data));
}

void mail_progress::on_end_of_data_reply(const std::shared_ptr<const reply>& r)
{
    data_done_ = true;
    settle_everybody(decided_by(r, verb::end_of_data));
}

void mail_progress::on_refusal_in_body(const std::shared_ptr<const reply>& r)
{
    outcome o = decided_by(r, verb::end_of_data);
    o.where = phase::body;
    o.command = "DATA";
    o.why = "the server answered before the end of the message was written";
    settle_everybody(o);
}

void mail_progress::lose(const session_failure& failure)
{
    outcome o = decided_by(failure);
    o.verdict = verdict_after(failure);
    if (o.verdict == verdict::refused && failure.error == error::eight_bit_body)
        o.our_status = enhanced_code{5, 6, 3};
    settle_everybody(o);
}

void mail_progress::leave_untried(const session_failure& failure) { settle_everybody(decided_by(failure)); }

verdict mail_progress::verdict_after(const session_failure& failure) const
{
    if (body_written_)
        return verdict::in_doubt;
    if (!mail_said_ && failure.error == error::cancelled)
        return verdict::untried;
    if (failure.error == error::eight_bit_body)
        return verdict::refused;
    if (failure.error == error::server_unavailable && failure.said && failure.said->permanent())
        return verdict::refused;
    return verdict::deferred;
}

void mail_progress::settle(std::size_t recipient, outcome o)
{
    if (settled_[recipient])
        return;
    settled_[recipient] = true;
    --unsettled_;
    outcomes_[recipient] = std::move(o);
}

void mail_progress::settle_everybody(const outcome& o)
{
    for (std::size_t i = 0; i < outcomes_.size(); ++i)
        settle(i, o);
}

outcome mail_progress::decided_by(const std::shared_ptr<const reply>& r, verb what,
                                  std::size_t recipient) const
{
    outcome o;
    o.verdict = verdict_of(*r, what);
    o.where = row_of(what).where;
    o.command = command_text(what, recipient);
    o.said = r;
    return o;
}

outcome mail_progress::decided_by(const session_failure& failure)
{
    outcome o;
    o.where = failure.where;
    o.command = failure.command;
    o.said = failure.said;
    o.error = failure.error;
    o.why = failure.why;
    return o;
}

void mail_progress::refuse_ourselves(std::size_t recipient, enhanced_code status, std::string why)
{
    outcome o;
    o.verdict = verdict::refused;
    o.where = phase::mail;
    o.our_status = status;
    o.why = std::move(why);
    settle(recipient, std::move(o));
}

} // namespace postrider::smtp
