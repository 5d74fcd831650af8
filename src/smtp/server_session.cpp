// SPDX-License-Identifier: MIT
// smtp/server_session: what a server answers, and what it does then.
//
// One function for each command, one for each decision of the application; proceed() is the loop
// that goes on with the input until the driver has to do something.

#include "smtp/server_session.hpp"

#include "base/text.hpp"
#include "smtp/data_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

namespace postrider::smtp {

using server::answer;
namespace ask = server::ask;
namespace told = server::told;

namespace {

constexpr std::size_t reply_text_max = 480; // RFC 5321 §4.5.3.1.5: 512 with code and line end
constexpr std::size_t reply_lines_max = 50;

// Beyond the limit content is read and thrown away, as the reply belongs behind the end of data; but
// not for ever. A client that has sent this much more, or the limit once more, does not listen.
constexpr std::uint64_t excess_min = 1u << 20;

constexpr char tls_handshake = 0x16; // the first octet of a TLS client's first record

constexpr enhanced_code bad_sequence{5, 5, 1};
constexpr enhanced_code bad_syntax{5, 5, 2};
constexpr enhanced_code bad_argument{5, 5, 4};

constexpr unsigned bit(server_state s) noexcept { return 1u << static_cast<unsigned>(s); }

constexpr unsigned anywhere = bit(server_state::greeted) | bit(server_state::ready) |
                              bit(server_state::addressing);

std::string_view why_out_of_order(server_state s) noexcept
{
    switch (s) {
    case server_state::greeted: return "say EHLO first";
    case server_state::ready: return "MAIL must come first";
    default: return "a message is under way already";
    }
}

/// Whether `what` answers the last ask, given as its place in server::action.
[[maybe_unused]] bool answers(const server::event& what, std::size_t last_ask) noexcept
{
    const auto is = [&](auto kind) { return std::holds_alternative<decltype(kind)>(what); };
    const bool ended = is(told::closed()) || is(told::idle());
    switch (last_ask) {
    case 0: return is(told::received()) || ended; // receive
    case 1: return is(told::sent()) || ended;     // send
    case 5: return is(told::taken());             // content
    case 7: return false;                         // close
    default: return std::holds_alternative<told::decision>(what);
    }
}

std::string printable(std::string_view text)
{
    std::string out(text.substr(0, reply_text_max));
    for (char& c : out)
        if (c < 0x20 || c > 0x7e) // what is above 0x7f is below 0 or above 0x7e
            c = '?';
    return out;
}

} // namespace

std::string server::transaction::reverse_path() const
{
    return from.mailbox ? from.mailbox->to_string(smtputf8) : std::string();
}

std::vector<std::string> server::transaction::forward_paths() const
{
    std::vector<std::string> paths;
    paths.reserve(to.size());
    for (const path& p : to)
        paths.push_back(p.mailbox ? p.mailbox->to_string(smtputf8) : "postmaster");
    return paths;
}

struct server_session::message {
    server::transaction facts;
    data_decoder decoder;
    std::uint64_t octets = 0; // decoded, whether handed up or thrown away
    bool ended = false;
};

// Each command, the states in which it may stand, and who answers it. A command that stands
// elsewhere is out of order: 503.
struct server_session::command_row {
    command_name what;
    unsigned legal;
    step (server_session::*run)(const command&);
};

const server_session::command_row* server_session::find_row(command_name what) noexcept
{
    static constexpr command_row rows[] = {
        {command_name::helo, anywhere, &server_session::on_hello},
        {command_name::ehlo, anywhere, &server_session::on_hello},
        {command_name::mail, bit(server_state::ready), &server_session::on_mail},
        {command_name::rcpt, bit(server_state::addressing), &server_session::on_rcpt},
        {command_name::data, bit(server_state::addressing), &server_session::on_data},
        {command_name::rset, anywhere, &server_session::on_rset},
        {command_name::noop, anywhere, &server_session::on_noop},
        {command_name::quit, anywhere, &server_session::on_quit},
        {command_name::vrfy, anywhere, &server_session::on_vrfy},
        {command_name::help, anywhere, &server_session::on_help},
        {command_name::expn, anywhere, &server_session::on_unsupported},
        {command_name::starttls, anywhere, &server_session::on_unsupported},
        {command_name::auth, anywhere, &server_session::on_unsupported},
        {command_name::bdat, anywhere, &server_session::on_bdat},
    };
    const auto row =
        std::find_if(std::begin(rows), std::end(rows), [&](const command_row& r) { return r.what == what; });
    return row == std::end(rows) ? nullptr : row;
}

server_session::server_session(server_options options, listener heard)
    : options_(std::move(options)), heard_(std::move(heard)), lines_(options_.line_octets_max)
{
}

server_session::~server_session() = default;

server::action server_session::resume(const server::event& what)
{
    assert(state_ == server_state::connecting ? std::holds_alternative<told::connected>(what)
                                              : answers(what, last_ask_));
    step next = std::visit([this](const auto& e) { return on_event(e); }, what);
    server::action action = next ? *next : proceed();
    last_ask_ = action.index();
    if (std::holds_alternative<ask::close>(action))
        state_ = server_state::closed;
    return action;
}

server_session::step server_session::on_event(const told::connected& what)
{
    state_ = server_state::greeted;
    if (what.busy)
        return part(answer{421, {4, 3, 2}, options_.name + " has too many connections, try again later"},
                    "there were too many connections");
    write_line(220, true, nullptr, options_.name + " ESMTP Postrider");
    return {};
}

server_session::step server_session::on_event(const told::received& what)
{
    input_ = what.octets;
    if (!spoken_to_ && !input_.empty() && input_.front() == tls_handshake)
        return ask::close{"the client spoke TLS where plain text is spoken"};
    spoken_to_ = spoken_to_ || !input_.empty();
    return {};
}

server_session::step server_session::on_event(const told::sent&)
{
    output_.clear();
    return {};
}

server_session::step server_session::on_event(const told::decision& what)
{
    if (state_ == server_state::ready)
        return decided_sender(what.reply);
    if (state_ == server_state::content)
        return decided_complete(what.reply);
    return asked_ ? decided_recipient(what.reply) : decided_begin(what.reply);
}

server_session::step server_session::on_event(const told::taken&)
{
    content_.clear();
    return {};
}

server_session::step server_session::on_event(const told::closed&)
{
    return ask::close{parting_ ? why_ : "the client closed the connection"};
}

server_session::step server_session::on_event(const told::idle&)
{
    if (!output_.empty())
        return ask::close{"the client did not take our replies"};
    return part(answer{421, {4, 4, 2}, options_.name + " waited too long, closing the connection"},
                "the client was silent for too long");
}

server::action server_session::proceed()
{
    for (;;) {
        const bool content_left = state_ == server_state::content && message_->ended;
        const bool stuck = parting_ || (input_.empty() && !content_left);
        if (stuck || output_.size() >= options_.output_octets_max) {
            if (!output_.empty())
                return ask::send{output_, options_.idle_max};
            if (parting_)
                return ask::close{why_};
            return ask::receive{options_.idle_max};
        }
        if (const step next = state_ == server_state::content ? take_content() : take_line())
            return *next;
    }
}

server_session::step server_session::take_line()
{
    switch (lines_.read(input_)) {
    case command_reader::status::more: return {};
    case command_reader::status::bare:
        return part(answer{500, bad_syntax, "a CR or LF stands alone; a command ends in CRLF"},
                    "a command did not end in CRLF");
    case command_reader::status::too_long:
        if (heard_)
            heard_(lines_.line());
        return bad(answer{500, bad_syntax,
                          fmt::format("the line is longer than {} octets", options_.line_octets_max)});
    case command_reader::status::line: break;
    }
    if (heard_)
        heard_(lines_.line());
    return run(parse_command(lines_.line()));
}

server_session::step server_session::run(const command& said)
{
    if (said.what == command_name::http) // ALPACA: not even a reply, which a browser might be made to show
        return ask::close{"the client spoke HTTP"};
    const command_row* row = find_row(said.what);
    if (!row)
        return bad(answer{500, bad_syntax, "no such command"});
    if ((row->legal & bit(state_)) != 0)
        return (this->*row->run)(said);
    const answer out_of_order{503, bad_sequence, std::string(why_out_of_order(state_))};
    return said.what == command_name::data ? refuse_data(out_of_order) : bad(out_of_order);
}

server_session::step server_session::on_hello(const command& said)
{
    result<std::string> name = parse_domain(said.argument);
    if (!name)
        return bad(answer{501, bad_argument, "say your name or [address]: " + name.problem().what});
    hello_ = std::move(*name);
    esmtp_ = said.what == command_name::ehlo;
    message_.reset(); // as RSET (RFC 5321 §4.1.4)
    state_ = server_state::ready;
    if (esmtp_)
        return say_extensions();
    write_line(250, true, nullptr, options_.name);
    return {};
}

server_session::step server_session::say_extensions()
{
    std::vector<std::string> lines{options_.name};
    if (options_.pipelining)
        lines.emplace_back("PIPELINING");
    if (options_.size)
        lines.push_back(options_.size_max == 0 ? "SIZE" : fmt::format("SIZE {}", options_.size_max));
    if (options_.eight_bit_mime)
        lines.emplace_back("8BITMIME");
    if (options_.smtputf8)
        lines.emplace_back("SMTPUTF8");
    if (options_.enhanced_status_codes)
        lines.emplace_back("ENHANCEDSTATUSCODES");
    if (options_.help)
        lines.emplace_back("HELP");
    for (std::size_t i = 0; i < lines.size(); ++i)
        write_line(250, i + 1 == lines.size(), nullptr, lines[i]);
    return {};
}

server_session::step server_session::on_mail(const command& said)
{
    result<path> from = parse_mail(said.argument);
    if (!from)
        return bad(answer{501, bad_argument, from.problem().what});
    auto next = std::make_unique<message>();
    next->facts.hello = hello_;
    next->facts.esmtp = esmtp_;
    next->facts.from = std::move(*from);
    for (const parameter& given : next->facts.from.parameters)
        if (const auto refusal = take_parameter(given, next->facts))
            return bad(*refusal);
    if (const auto refusal = refuse_sender(next->facts))
        return say(*refusal);
    message_ = std::move(next);
    return ask::sender{message_->facts};
}

std::optional<answer> server_session::take_parameter(const parameter& given, server::transaction& mail) const
{
    // A parameter without its extension's offer is unknown, and after HELO nothing was offered.
    const auto is = [&](std::string_view keyword, bool option) {
        return given.keyword == keyword && option && esmtp_;
    };
    if (is("SIZE", options_.size)) {
        mail.declared_size = parse_size(given.value.value_or(""));
        if (!mail.declared_size)
            return answer{501, bad_argument, "SIZE takes a number of octets"};
        return {};
    }
    if (is("BODY", options_.eight_bit_mime)) {
        mail.eight_bit_mime = base::equal_ignoring_case(given.value.value_or(""), "8BITMIME");
        if (!mail.eight_bit_mime && !base::equal_ignoring_case(given.value.value_or(""), "7BIT"))
            return answer{501, bad_argument, "BODY takes 7BIT or 8BITMIME"};
        return {};
    }
    if (is("SMTPUTF8", options_.smtputf8)) {
        mail.smtputf8 = true;
        if (given.value)
            return answer{501, bad_argument, "SMTPUTF8 takes no value"};
        return {};
    }
    return answer{555, bad_argument,
                  "the parameter " + base::escaped(given.keyword, 32) + " is not known here"};
}

std::optional<answer> server_session::refuse_sender(const server::transaction& mail) const
{
    if (mail.from.eight_bit && !mail.smtputf8)
        return answer{553, {5, 6, 7}, "an address that is not ASCII needs SMTPUTF8"};
    if (options_.size_max != 0 && mail.declared_size.value_or(0) > options_.size_max)
        return answer{552, {5, 3, 4}, fmt::format("the message is larger than {} octets", options_.size_max)};
    return {};
}

server_session::step server_session::decided_sender(const answer& reply)
{
    if (reply.positive())
        state_ = server_state::addressing;
    else
        message_.reset();
    return say(reply);
}

server_session::step server_session::on_rcpt(const command& said)
{
    result<path> to = parse_rcpt(said.argument);
    if (!to)
        return bad(answer{501, bad_argument, to.problem().what});
    if (const auto refusal = refuse_recipient(*to))
        return say(*refusal);
    asked_ = std::move(*to);
    return ask::recipient{message_->facts, *asked_};
}

std::optional<answer> server_session::refuse_recipient(const path& to) const
{
    if (!to.parameters.empty())
        return answer{555, bad_argument,
                      "the parameter " + base::escaped(to.parameters.front().keyword, 32) +
                          " is not known here"};
    if (to.eight_bit && !message_->facts.smtputf8)
        return answer{553, {5, 6, 7}, "an address that is not ASCII needs SMTPUTF8"};
    if (message_->facts.to.size() >= options_.recipients_max)
        return answer{452, {4, 5, 3}, "too many recipients, send the others another copy"};
    return {};
}

server_session::step server_session::decided_recipient(const answer& reply)
{
    if (reply.positive())
        message_->facts.to.push_back(std::move(*asked_));
    asked_.reset();
    return say(reply);
}

server_session::step server_session::on_data(const command& said)
{
    if (!said.argument.empty())
        return refuse_data(answer{501, bad_argument, "DATA takes no argument"});
    if (message_->facts.to.empty())
        return refuse_data(answer{554, bad_sequence, "no valid recipients"});
    return ask::begin{message_->facts};
}

// A client that did not wait for the 354 has its message behind this DATA. Were it run as commands,
// whoever wrote that message would be giving them.
server_session::step server_session::refuse_data(const answer& reply)
{
    if (!input_.empty())
        return part(reply, "content came behind a DATA that was refused");
    return reply.code == 503 || reply.code == 501 ? bad(reply) : say(reply);
}

server_session::step server_session::decided_begin(const answer& reply)
{
    if (!reply.positive()) {
        message_.reset();
        state_ = server_state::ready;
        return refuse_data(reply);
    }
    write_line(354, true, nullptr, "go on, and end with a dot on a line of its own");
    state_ = server_state::content;
    return {};
}

server_session::step server_session::take_content()
{
    if (message_->ended)
        return end_content();
    const data_decoder::progress done = message_->decoder.decode(input_, content_);
    input_.remove_prefix(done.taken);
    message_->octets += content_.size();
    if (done.what == data_decoder::status::bare)
        return part(answer{550, {5, 6, 11}, "a CR or LF stands alone in the message; lines end in CRLF"},
                    "a line of the message did not end in CRLF");
    message_->ended = done.what == data_decoder::status::end;
    if (over_limit()) {
        content_.clear();
        const std::uint64_t excess = message_->octets - options_.size_max;
        if (excess > std::max(options_.size_max, excess_min))
            return part(answer{552, {5, 3, 4}, "the message does not end"}, "the message did not end");
        return {};
    }
    if (content_.empty())
        return {};
    message_->facts.octets = message_->octets;
    return ask::content{content_};
}

bool server_session::over_limit() const noexcept
{
    return options_.size_max != 0 && message_->octets > options_.size_max;
}

server_session::step server_session::end_content()
{
    if (!over_limit())
        return ask::complete{message_->facts};
    return decided_complete(
        answer{552, {5, 3, 4}, fmt::format("the message is larger than {} octets", options_.size_max)});
}

server_session::step server_session::decided_complete(const answer& reply)
{
    message_.reset();
    state_ = server_state::ready;
    return say(reply);
}

server_session::step server_session::on_rset(const command& said)
{
    if (!said.argument.empty())
        return bad(answer{501, bad_argument, "RSET takes no argument"});
    message_.reset();
    if (state_ == server_state::addressing)
        state_ = server_state::ready;
    return say(answer{250, {2, 0, 0}, "nothing is under way now"});
}

server_session::step server_session::on_noop(const command&) { return say(answer{250, {2, 0, 0}, "ok"}); }

server_session::step server_session::on_quit(const command& said)
{
    if (!said.argument.empty())
        return bad(answer{501, bad_argument, "QUIT takes no argument"});
    return part(answer{221, {2, 0, 0}, options_.name + " says goodbye"}, "the client said QUIT");
}

server_session::step server_session::on_vrfy(const command& said)
{
    if (said.argument.empty())
        return bad(answer{501, bad_argument, "VRFY takes an address"});
    return say(answer{252, {2, 0, 0}, "not verified; send mail and see"});
}

server_session::step server_session::on_help(const command& said)
{
    if (!options_.help)
        return on_unsupported(said);
    return say(answer{214, {2, 0, 0}, "EHLO HELO MAIL RCPT DATA RSET NOOP QUIT VRFY HELP: RFC 5321"});
}

server_session::step server_session::on_unsupported(const command&)
{
    return bad(answer{502, bad_sequence, "not done here"});
}

// The octets of a chunk follow the command at once, unasked (RFC 3030 §2): what comes now is not for
// us to run.
server_session::step server_session::on_bdat(const command&)
{
    return part(answer{502, bad_sequence, "CHUNKING is not done here"}, "the client sent a chunk unasked");
}

server_session::step server_session::say(const answer& reply)
{
    const bool coded = options_.enhanced_status_codes && reply.status.status == reply.code / 100;
    std::string_view rest = reply.text;
    for (std::size_t lines = 1;; ++lines) {
        const std::size_t end = rest.find('\n');
        const bool last = end == std::string_view::npos || lines == reply_lines_max;
        write_line(reply.code, last, coded ? &reply.status : nullptr, rest.substr(0, end));
        if (last)
            break;
        rest.remove_prefix(end + 1);
    }
    return reply.code == 421 ? part("the connection was ended by a 421") : step();
}

void server_session::write_line(int code, bool last, const enhanced_code* status, std::string_view text)
{
    fmt::format_to(std::back_inserter(output_), "{}{}", code, last ? ' ' : '-');
    if (status)
        fmt::format_to(std::back_inserter(output_), "{}.{}.{} ", status->status, status->subject,
                       status->detail);
    output_ += printable(text.empty() ? "ok" : text);
    output_ += "\r\n";
}

server_session::step server_session::bad(const answer& reply)
{
    if (++bad_commands_ <= options_.bad_commands_max)
        return say(reply);
    return part(answer{421, {4, 7, 0}, options_.name + " has seen too many bad commands"},
                "there were too many bad commands");
}

server_session::step server_session::part(const answer& reply, std::string_view why)
{
    say(reply);
    return part(why);
}

server_session::step server_session::part(std::string_view why)
{
    parting_ = true;
    why_ = why;
    return {};
}

} // namespace postrider::smtp
