// SPDX-License-Identifier: MIT
// smtp/session: the machine: one function for each kind of event and each kind of reply.

#include "smtp/session.hpp"

#include "base/text.hpp"
#include "postrider/error.hpp"
#include "smtp/command.hpp"
#include "smtp/reply_parser.hpp"

#include <fmt/format.h>

#include <cassert>
#include <deque>
#include <utility>

namespace postrider::smtp {
namespace {

// So many octets of commands leave in one write. More follow at once, without waiting for replies;
// the bound keeps the memory for an envelope of many thousand recipients small.
constexpr std::size_t group_octets_max = 32 * 1024;

// A command that has been said and whose reply has not come.
struct unanswered {
    verb what;
    std::size_t recipient = 0; // verb::rcpt
};

using said = std::shared_ptr<const reply>;

} // namespace

struct session::machine {
    explicit machine(session_options o) : options(std::move(o)) {}

    // What happened.
    action on_connected();
    action on_written();
    action on_body_written();
    action on_received(std::string_view octets, bool more);
    action on_failed(const event& what);
    action on_goodbye();

    // What was answered.
    void on_reply(said r);
    void on_greeting_reply(const said& r);
    void on_ehlo_reply(const said& r);
    void on_helo_reply(const said& r);
    void on_data_reply(const said& r);
    void on_reset_reply(const said& r);
    void on_reply_nobody_asked_for(said r);

    // What now.
    action advance();
    bool fill();
    bool may_say(verb next) const;
    void say(verb what, std::string_view line, std::size_t recipient = 0);
    action wait() const;
    action close() const { return {ask::close, phase::none}; }

    // How things end.
    void ready();
    void finish_message();
    void end(session_failure why);
    void end_by(const said& r, phase where, error code);
    void become(session_state next);
    std::string command_text(const unanswered& c) const;
    std::string sentence_for(const event& what, const session_failure& f) const;

    session_options options;
    session_state state = session_state::start;
    reply_parser parser;
    extensions offered;
    said greeting;
    std::optional<session_failure> failure;

    std::deque<mail_progress> messages; // submitted and not settled; the first is on its way
    std::deque<settled_transaction> settled;
    std::uint64_t last_id = 0;

    std::deque<unanswered> owed;   // what the server owes us a reply for, oldest first
    std::string to_say;            // commands that have not left yet
    std::string leaving;           // the octets of the ask::write under way
    bool writing = false;          // an ask::write or ask::body is under way
    bool reset_due = false;        // the server may still hold a transaction of an earlier message
    bool reused = false;           // a message has been settled on this connection
    bool goodbye = false;
};

action session::machine::on_connected()
{
    become(session_state::greeting);
    owed.push_back({verb::greeting});
    return wait();
}

action session::machine::on_written()
{
    assert(writing);
    writing = false;
    return advance();
}

action session::machine::on_body_written()
{
    assert(writing && state == session_state::body);
    writing = false;
    messages.front().on_body_written();
    become(session_state::end_of_data);
    owed.push_back({verb::end_of_data});
    return advance();
}

action session::machine::on_received(std::string_view octets, bool more)
{
    while (!octets.empty() && state != session_state::closed) {
        switch (parser.read(octets)) {
        case reply_parser::status::incomplete: break;
        case reply_parser::status::broken:
            if (state == session_state::quit) {
                become(session_state::closed);
                break;
            }
            end({owed.empty() ? phase::between : row_of(owed.front().what).where, make_error_code(error::protocol_broken),
                 owed.empty() ? std::string() : command_text(owed.front()), nullptr, parser.why()});
            break;
        case reply_parser::status::complete: on_reply(std::make_shared<const reply>(parser.take())); break;
        }
    }
    return more && state != session_state::closed ? wait() : advance();
}

void session::machine::on_reply(said r)
{
    if (owed.empty()) {
        on_reply_nobody_asked_for(std::move(r));
        return;
    }
    const unanswered answered = owed.front();
    if (answered.what == verb::quit) {
        become(session_state::closed); // whatever it says
        return;
    }
    if (r->code() == 421) {
        // The server says goodbye in the place of its answer: it closes now (RFC 5321 §3.8), and no
        // reply to anything else will come. To the end of data it is an answer all the same: no.
        if (answered.what == verb::end_of_data)
            messages.front().on_end_of_data_reply(r);
        end_by(r, row_of(answered.what).where, error::server_unavailable);
        return;
    }
    // 3yz answers DATA alone (RFC 5321 §4.2.1); what else says it is not speaking SMTP.
    if (r->intermediate() != (answered.what == verb::data && !r->transient() && !r->permanent())) {
        end_by(r, row_of(answered.what).where, error::protocol_broken);
        return;
    }
    owed.pop_front();
    switch (answered.what) {
    case verb::greeting: on_greeting_reply(r); break;
    case verb::ehlo: on_ehlo_reply(r); break;
    case verb::helo: on_helo_reply(r); break;
    case verb::mail: messages.front().on_mail_reply(r); break;
    case verb::rcpt: messages.front().on_rcpt_reply(answered.recipient, r); break;
    case verb::data: on_data_reply(r); break;
    case verb::lone_dot: messages.front().on_data_done(); break;
    case verb::end_of_data: messages.front().on_end_of_data_reply(r); break;
    case verb::rset: on_reset_reply(r); break;
    case verb::quit: break;
    }
}

void session::machine::on_greeting_reply(const said& r)
{
    greeting = r;
    if (!r->positive()) {
        end_by(r, phase::greeting, error::server_unavailable);
        return;
    }
    become(session_state::ehlo);
    say(verb::ehlo, ehlo_line(options.our_name));
}

void session::machine::on_ehlo_reply(const said& r)
{
    if (r->positive()) {
        offered = extensions::from_reply(*r);
        ready();
    } else if (r->permanent()) {
        become(session_state::helo); // a server of before 1995, or one that pretends (RFC 5321 §3.2)
        say(verb::helo, helo_line(options.our_name));
    } else {
        end_by(r, phase::hello, error::server_unavailable);
    }
}

void session::machine::on_helo_reply(const said& r)
{
    offered = extensions();
    if (r->positive())
        ready();
    else
        end_by(r, phase::hello, error::server_unavailable);
}

void session::machine::on_data_reply(const said& r)
{
    mail_progress& message = messages.front();
    if (!r->intermediate()) {
        message.on_data_refused(r);
    } else if (message.body_deserved()) {
        become(session_state::body);
    } else {
        // A pipelining server may say 354 although it refused every recipient. It is owed an end of
        // data before anything else, and an empty message is the shortest (RFC 2920 §3.1).
        become(session_state::lone_dot);
        to_say += ".\r\n";
        owed.push_back({verb::lone_dot});
    }
}

void session::machine::on_reset_reply(const said& r)
{
    reset_due = false;
    if (r->positive()) {
        ready();
        return;
    }
    // A server that refuses RSET cannot be brought into a known state; asking again would loop.
    become(session_state::quit);
    end_by(r, phase::between, error::server_unavailable);
}

void session::machine::on_reply_nobody_asked_for(said r)
{
    if (state == session_state::body && writing && (r->transient() || r->permanent())) {
        // A refusal while the body is on its way. What we would write next it would read as the
        // body's rest or as commands, so nothing more is written, QUIT neither.
        messages.front().on_refusal_in_body(r);
        end_by(r, phase::body, error::server_unavailable);
        return;
    }
    if (r->code() == 421) {
        end_by(r, phase::between, error::server_unavailable);
        return;
    }
    const phase where = state == session_state::body ? phase::body : phase::between;
    end({where, make_error_code(error::out_of_step), "", r, "the server sent a reply that answers nothing: " + r->to_string()});
}

action session::machine::on_failed(const event& what)
{
    if (state == session_state::quit)
        become(session_state::closed); // once QUIT was said the peer may leave in any manner
    if (state == session_state::closed)
        return close();
    session_failure f{phase::between, what.why, "", nullptr, ""};
    if (!owed.empty()) {
        f.where = row_of(owed.front().what).where;
        f.command = command_text(owed.front());
    } else if (state == session_state::body) {
        f.where = phase::body;
    }
    f.why = sentence_for(what, f);
    end(std::move(f));
    return close();
}

// Doing what, waiting how long, and what the system said of it.
std::string session::machine::sentence_for(const event& what, const session_failure& f) const
{
    std::string doing = "while nothing was asked";
    if (parser.in_the_middle())
        doing = "in the middle of a reply";
    else if (!owed.empty())
        doing = "waiting for the reply to " + f.command;
    else if (f.where == phase::body)
        doing = "in the middle of the message";

    std::string sentence = what.why.message() + ", " + doing;
    if (what.why == error::timed_out)
        sentence += fmt::format(", after {} s", what.waited.count());
    if (!what.detail.empty())
        sentence += ": " + base::escaped(what.detail);
    return sentence;
}

action session::machine::on_goodbye()
{
    goodbye = true;
    return advance();
}

// What now? Everything that happened leads here, and here alone is decided what leaves next.
action session::machine::advance()
{
    if (state == session_state::closed)
        return close();
    if (writing)
        return wait();
    const bool in_lock_step = owed.empty();
    const bool something = fill();
    if (state == session_state::closed)
        return close();
    if ((something || state == session_state::body) && in_lock_step && parser.in_the_middle()) {
        end({phase::between, make_error_code(error::out_of_step), "", nullptr,
             "the server began a reply that answers nothing"});
        return close();
    }
    if (something) {
        leaving.swap(to_say);
        to_say.clear();
        writing = true;
        const verb_row& row = row_of(owed.front().what);
        return {ask::write, row.where, row.wait, leaving};
    }
    if (state == session_state::body && owed.empty()) {
        writing = true;
        return {ask::body, phase::body, body_block_wait, {}, messages.front().id()};
    }
    if (!owed.empty())
        return wait();
    return {ask::rest, phase::between};
}

// Lets commands into `to_say` as far as the rules of pipelining allow. False: there is nothing.
bool session::machine::fill()
{
    for (;;) {
        if (!to_say.empty() && (row_of(owed.back().what).ends_group || to_say.size() >= group_octets_max))
            return true;
        if (state == session_state::envelope || state == session_state::lone_dot || state == session_state::end_of_data) {
            const std::optional<verb> next = messages.front().next();
            if (state == session_state::envelope && next && may_say(*next)) {
                const mail_progress::spoken command = messages.front().say(*next);
                say(*next, command.line, command.recipient);
                continue;
            }
            if (!owed.empty() || next)
                return !to_say.empty();
            finish_message();
            continue;
        }
        if (state != session_state::ready)
            return !to_say.empty();
        if (messages.empty()) {
            if (goodbye) {
                become(session_state::quit);
                say(verb::quit, "QUIT");
            }
            return !to_say.empty();
        }
        if (reset_due) {
            become(session_state::reset);
            say(verb::rset, "RSET");
            return true;
        }
        become(session_state::envelope);
        messages.front().prepare(offered);
    }
}

// The one place that says how far sending may run ahead of the replies: within the envelope of one
// message, where this connection's EHLO promised PIPELINING, up to a command that ends a group.
bool session::machine::may_say(verb) const
{
    if (owed.empty())
        return true;
    return options.pipelining && offered.pipelining() && !row_of(owed.back().what).ends_group;
}

void session::machine::say(verb what, std::string_view line, std::size_t recipient)
{
    append_command(to_say, line, !messages.empty() && messages.front().smtputf8());
    owed.push_back({what, recipient});
}

action session::machine::wait() const
{
    if (owed.empty())
        return {ask::wait, state == session_state::body ? phase::body : phase::between, body_block_wait};
    const verb_row& row = row_of(owed.front().what);
    return {ask::wait, row.where, row.wait};
}

void session::machine::ready()
{
    become(session_state::ready);
}

void session::machine::finish_message()
{
    reset_due = messages.front().open_at_server();
    reused = reused || messages.front().begun();
    settled.push_back(messages.front().take_outcomes());
    messages.pop_front();
    ready();
}

// The first message is the one on its way, if one is; those behind it were never begun. Before the
// session was ready no message was begun, and what ended the session ends all of them alike.
void session::machine::end(session_failure why)
{
    const bool was_ready = state >= session_state::ready;
    const bool left_by_server = why.error == error::connection_lost || (why.said && why.said->code() == 421);
    bool first = true;
    for (mail_progress& message : messages) {
        const bool died_at_rest = left_by_server && !message.answered_at_all() && (reused || !message.begun());
        message.lose(why, was_ready && (!first || died_at_rest));
        settled.push_back(message.take_outcomes());
        first = false;
    }
    messages.clear();
    owed.clear();
    failure = std::move(why);
    become(session_state::closed);
}

void session::machine::end_by(const said& r, phase where, error code)
{
    session_failure f{where, make_error_code(code), "", r, ""};
    if (code == error::protocol_broken)
        f.why = "a reply that cannot answer this: " + r->to_string();
    if (!owed.empty())
        f.command = command_text(owed.front());
    end(std::move(f));
}

void session::machine::become(session_state next)
{
    assert(state == next || may_follow(state, next));
    state = next;
}

std::string session::machine::command_text(const unanswered& c) const
{
    switch (c.what) {
    case verb::ehlo: return ehlo_line(options.our_name);
    case verb::helo: return helo_line(options.our_name);
    case verb::mail:
    case verb::rcpt: return messages.front().command_text(c.what, c.recipient);
    default: return std::string(row_of(c.what).name);
    }
}

session::session(session_options options) : machine_(std::make_unique<machine>(std::move(options))) {}
session::session(session&&) noexcept = default;
session& session::operator=(session&&) noexcept = default;
session::~session() = default;

std::uint64_t session::submit(transaction what)
{
    assert(!what.recipients.empty());
    machine_->messages.emplace_back(++machine_->last_id, std::move(what));
    return machine_->last_id;
}

action session::resume(const event& what)
{
    machine& m = *machine_;
    switch (what.what) {
    case told::connected: return m.on_connected();
    case told::submitted: return m.advance();
    case told::goodbye: return m.on_goodbye();
    case told::written: return m.on_written();
    case told::body_written: return m.on_body_written();
    case told::received: return m.on_received(what.octets, what.more);
    case told::failed: return m.on_failed(what);
    }
    return m.close();
}

std::optional<settled_transaction> session::take_settled()
{
    if (machine_->settled.empty())
        return std::nullopt;
    settled_transaction first = std::move(machine_->settled.front());
    machine_->settled.pop_front();
    return first;
}

session_state session::state() const noexcept { return machine_->state; }
const extensions& session::offered() const noexcept { return machine_->offered; }
const std::shared_ptr<const reply>& session::greeting() const noexcept { return machine_->greeting; }
const std::optional<session_failure>& session::failure() const noexcept { return machine_->failure; }

} // namespace postrider::smtp
