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
#include <string_view>
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
    void on_reply_nobody_asked_for(const said& r);
    void on_nonsense();

    // What now.
    action advance();
    void move_on();
    bool message_is_over() const;
    void fill();
    std::optional<verb> next() const;
    bool may_say() const;
    void say(verb what);
    action write();
    action write_body();
    action wait() const;
    action close() const { return {ask::close, phase::none}; }

    // How things end.
    void finish_message();
    void leave(const said& r, verb answered);
    void end_by(const said& r, phase where, error code, std::string why = {});
    void end(session_failure why);
    void settle_messages(const session_failure& why);
    void turn_away_messages();
    void become(session_state next);
    phase where_now() const;
    std::string command_text(const unanswered& c) const;
    std::string awaited_command() const { return owed.empty() ? std::string() : command_text(owed.front()); }
    std::string sentence_for(const event& what) const;

    session_options options;
    session_state state = session_state::start;
    reply_parser parser;
    extensions offered;
    said greeting;
    std::optional<session_failure> failure;

    std::deque<mail_progress> messages; // submitted and not settled; the first is on its way
    std::deque<settled_transaction> settled;
    std::uint64_t last_id = 0;

    std::deque<unanswered> owed;                          // what the server owes us a reply for, oldest first
    std::string to_say;                                   // commands that have not left yet
    std::string leaving;                                  // the octets of the ask::write under way
    enum { nothing, commands, body } under_way = nothing; // what the driver is writing
    bool reset_due = false; // the server may still hold a transaction of an earlier message
    bool reused = false;    // an earlier message was begun on this connection
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
    assert(under_way == commands);
    under_way = nothing;
    return advance();
}

action session::machine::on_body_written()
{
    assert(under_way == body && state == session_state::body);
    under_way = nothing;
    messages.front().on_body_written();
    become(session_state::end_of_data);
    if (parser.in_the_middle()) {
        // It began before the end was written, so whatever it will say, it does not answer the end.
        end({phase::end_of_data, make_error_code(error::out_of_step), "", nullptr,
             "the server began a reply before the end of the message was written"});
        return close();
    }
    owed.push_back({verb::end_of_data});
    return advance();
}

action session::machine::on_received(std::string_view octets, bool more)
{
    bool answered = false;
    while (!octets.empty() && state != session_state::closed) {
        switch (parser.read(octets)) {
        case reply_parser::status::incomplete: break;
        case reply_parser::status::broken: on_nonsense(); break;
        case reply_parser::status::complete:
            answered = true;
            on_reply(std::make_shared<const reply>(parser.take()));
            break;
        }
    }
    action now = more && state != session_state::closed ? wait() : advance();
    now.goes_on = now.what == ask::wait && !answered;
    return now;
}

action session::machine::on_failed(const event& what)
{
    if (state == session_state::quit)
        become(session_state::closed); // once QUIT is due the peer may leave in any manner
    if (state != session_state::closed)
        end({where_now(), what.why, awaited_command(), nullptr, sentence_for(what)});
    return advance();
}

action session::machine::on_goodbye()
{
    goodbye = true;
    return advance();
}

// Replies change the state and settle recipients, and say nothing: what leaves is decided when all
// that came has been read. Otherwise a reply that stands behind the one that was due would be taken
// for the answer to a command that had not left (rfc5321-4.2-greeting-with-a-reply-behind-it).
void session::machine::on_reply(said r)
{
    if (owed.empty()) {
        on_reply_nobody_asked_for(r);
        return;
    }
    const unanswered answered = owed.front();
    const phase where = row_of(answered.what).where;
    if (answered.what == verb::quit) {
        become(session_state::closed); // whatever it says
        return;
    }
    if (r->code() == 421) {
        // The server says goodbye in the place of its answer: it closes now (RFC 5321 §3.8), and no
        // reply to anything else will come. To the end of data it is an answer all the same: no.
        if (answered.what == verb::end_of_data)
            messages.front().on_end_of_data_reply(r);
        end_by(r, where, error::server_unavailable);
        return;
    }
    // 3yz answers DATA, and DATA alone (RFC 5321 §4.3.2); 2yz never does. What else a server says
    // there cannot be acted on.
    const bool fits = answered.what == verb::data ? !r->positive() : !r->intermediate();
    if (!fits) {
        end_by(r, where, error::protocol_broken, "a reply that cannot answer this: " + r->to_string());
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
    if (r->positive())
        become(session_state::ehlo);
    else
        leave(r, verb::greeting);
}

void session::machine::on_ehlo_reply(const said& r)
{
    if (r->positive()) {
        offered = extensions::from_reply(*r);
        become(session_state::ready);
    } else if (r->permanent()) {
        become(session_state::helo); // a server of before 1995, or one that pretends (RFC 5321 §3.2)
    } else {
        leave(r, verb::ehlo);
    }
}

void session::machine::on_helo_reply(const said& r)
{
    if (r->positive())
        become(session_state::ready);
    else
        leave(r, verb::helo);
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
    }
}

void session::machine::on_reset_reply(const said& r)
{
    reset_due = false;
    if (r->positive())
        become(session_state::ready);
    else
        leave(r, verb::rset); // no known state can be reached, and asking again would loop
}

void session::machine::on_reply_nobody_asked_for(const said& r)
{
    if (state == session_state::body && (r->transient() || r->permanent())) {
        // A refusal while the body is on its way. What we would write next it would read as the
        // body's rest or as commands, so nothing more is written, QUIT neither.
        messages.front().on_refusal_in_body(r);
        end_by(r, phase::body, error::server_unavailable);
        return;
    }
    if (r->code() == 421)
        end_by(r, where_now(), error::server_unavailable);
    else
        end_by(r, where_now(), error::out_of_step, "a reply that answers nothing: " + r->to_string());
}

void session::machine::on_nonsense()
{
    if (state == session_state::quit)
        become(session_state::closed);
    else
        end({where_now(), make_error_code(error::protocol_broken), awaited_command(), nullptr, parser.why()});
}

// What now? Everything that happened leads here, and here alone is decided what leaves next.
action session::machine::advance()
{
    if (state >= session_state::quit)
        turn_away_messages();
    if (state == session_state::closed)
        return close();
    if (under_way != nothing)
        return wait();
    move_on();
    const bool at_rest = state == session_state::ready || state == session_state::start;
    if (owed.empty() && !at_rest && parser.in_the_middle()) {
        // Something is about to leave, and what has come in part would be read as the answer to it.
        end({where_now(), make_error_code(error::out_of_step), "", nullptr,
             "the server began a reply that answers nothing"});
        return close();
    }
    fill();
    if (!to_say.empty())
        return write();
    if (state == session_state::body)
        return write_body();
    return state == session_state::ready ? action{ask::rest, phase::between} : wait();
}

// From a message that is over to the next, or to the goodbye; while a reply is owed, nowhere.
void session::machine::move_on()
{
    if (!owed.empty())
        return;
    if (message_is_over())
        finish_message();
    while (state == session_state::ready && !messages.empty()) {
        if (reset_due) {
            become(session_state::reset);
            return;
        }
        become(session_state::envelope);
        messages.front().prepare(offered);
        if (message_is_over())
            finish_message(); // this server cannot take it at all
    }
    if (state == session_state::ready && goodbye)
        become(session_state::quit);
}

bool session::machine::message_is_over() const
{
    switch (state) {
    case session_state::envelope:
    case session_state::end_of_data: return !messages.front().next();
    case session_state::lone_dot: return messages.front().data_done();
    default: return false;
    }
}

// Lets commands into `to_say` as far as the rules of pipelining allow.
void session::machine::fill()
{
    while (to_say.size() < group_octets_max && may_say()) {
        const std::optional<verb> what = next();
        if (!what)
            return;
        say(*what);
    }
}

// The one place that says how far sending may run ahead of the replies: within the envelope of one
// message, where this connection's EHLO promised PIPELINING, up to a command that ends a group.
bool session::machine::may_say() const
{
    return owed.empty() ||
           (options.pipelining && offered.pipelining() && !row_of(owed.back().what).ends_group);
}

// The command that the state asks for. Those with one command of their own are left by its reply.
std::optional<verb> session::machine::next() const
{
    switch (state) {
    case session_state::ehlo: return verb::ehlo;
    case session_state::helo: return verb::helo;
    case session_state::envelope: return messages.front().next();
    case session_state::lone_dot: return verb::lone_dot;
    case session_state::reset: return verb::rset;
    case session_state::quit: return verb::quit;
    default: return std::nullopt;
    }
}

void session::machine::say(verb what)
{
    unanswered command{what};
    if (state == session_state::envelope)
        command.recipient = messages.front().say(what);
    const std::string line = what == verb::lone_dot ? "." : command_text(command);
    append_command(to_say, line, state == session_state::envelope && messages.front().smtputf8());
    owed.push_back(command);
}

action session::machine::write()
{
    leaving.swap(to_say);
    to_say.clear();
    under_way = commands;
    const verb_row& row = row_of(owed.front().what);
    return {ask::write, row.where, row.wait, leaving};
}

action session::machine::write_body()
{
    under_way = body;
    return {ask::body, phase::body, body_block_wait, {}, messages.front().id()};
}

action session::machine::wait() const
{
    if (owed.empty())
        return {ask::wait, where_now(), body_block_wait};
    const verb_row& row = row_of(owed.front().what);
    return {ask::wait, row.where, row.wait};
}

void session::machine::finish_message()
{
    reset_due = messages.front().open_at_server();
    reused = reused || messages.front().begun();
    settled.push_back(messages.front().take_outcomes());
    messages.pop_front();
    become(session_state::ready);
}

// The server will not work with us and stays on the line: it is told QUIT before the connection is
// closed (RFC 5321 §4.1.1.10).
void session::machine::leave(const said& r, verb answered)
{
    failure = session_failure{row_of(answered).where, make_error_code(error::server_unavailable),
                              command_text({answered}), r, ""};
    settle_messages(*failure);
    become(session_state::quit);
}

void session::machine::end_by(const said& r, phase where, error code, std::string why)
{
    end({where, make_error_code(code), awaited_command(), r, std::move(why)});
}

void session::machine::end(session_failure why)
{
    settle_messages(why);
    owed.clear();
    failure = std::move(why);
    become(session_state::closed);
}

// Before the session was ready no message was begun, and what ended it ends all of them alike. After
// that the first message may be on its way; those behind it were never begun.
void session::machine::settle_messages(const session_failure& why)
{
    const bool was_ready = state >= session_state::ready;
    const bool left_by_server = why.error == error::connection_lost || (why.said && why.said->code() == 421);
    session_failure for_the_next = why;
    for (mail_progress& message : messages) {
        const bool stale = reused && left_by_server && !message.answered_at_all();
        if (was_ready && (!message.begun() || stale))
            message.leave_untried(for_the_next);
        else
            message.lose(why);
        if (message.begun()) {
            // What was said of one message is nobody else's business.
            for_the_next = {phase::between, why.error, "", nullptr,
                            "the connection ended before its turn came"};
        }
        settled.push_back(message.take_outcomes());
    }
    messages.clear();
}

// Messages that were submitted when the end had come already.
void session::machine::turn_away_messages()
{
    for (mail_progress& message : messages) {
        message.leave_untried({phase::none, make_error_code(error::not_connected), "", nullptr,
                               "the conversation was over before it was submitted"});
        settled.push_back(message.take_outcomes());
    }
    messages.clear();
}

void session::machine::become(session_state next)
{
    assert(may_follow(state, next));
    state = next;
}

phase session::machine::where_now() const
{
    return owed.empty() ? row_of(state).where : row_of(owed.front().what).where;
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

// Doing what, waiting how long, and what the system said of it.
std::string session::machine::sentence_for(const event& what) const
{
    std::string doing = "while nothing was asked";
    if (parser.in_the_middle())
        doing = "in the middle of a reply";
    else if (!owed.empty() && owed.front().what == verb::greeting)
        doing = "waiting for the greeting";
    else if (!owed.empty())
        doing = "waiting for the reply to " + awaited_command();
    else if (state == session_state::body)
        doing = "in the middle of the message";

    std::string sentence = what.why.message() + ", " + doing;
    if (what.why == error::timed_out)
        sentence += fmt::format(", after {} s", what.waited.count());
    if (!what.detail.empty())
        sentence += ": " + base::escaped(what.detail);
    return sentence;
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
