// SPDX-License-Identifier: MIT
#pragma once
// smtp/server_session: the receiving side of one SMTP connection, without I/O.
//
// A session is asked one question, "this happened; what now?", and gives one answer: an action for
// its driver to perform. It opens no socket, reads no clock and writes no log, so the same code runs
// over TCP, over a simulated network and inside a fuzzer.
//
// It promises: a command ends in CRLF and a message in CRLF.CRLF, nothing else; a CR or LF that stands
// alone ends the connection, and nothing that was pipelined behind it is run. Replies to a group of
// pipelined commands leave in one write. While replies wait to be written no input is taken, so
// neither grows. Whatever a message was, the next one starts from a new transaction. What a client
// said stands in a reply only escaped and bounded. Everything that a peer can repeat has a limit in
// server_options.
//
// STARTTLS, AUTH and BDAT have their place in the table of commands and are answered 502.
//
// RFC 5321 §3, §4; RFC 1870 (SIZE), 2920 (PIPELINING), 6152 (8BITMIME), 6531 (SMTPUTF8), 2034
// (enhanced codes).

#include "smtp/command_reader.hpp"
#include "smtp/server_step.hpp"

#include <functional>
#include <memory>

namespace postrider::smtp {

struct server_options {
    std::string name = "localhost"; ///< what the server calls itself in the greeting
    bool pipelining = true;         ///< whether EHLO announces it; so too the next four
    bool eight_bit_mime = true;
    bool smtputf8 = true;
    bool enhanced_status_codes = true;
    bool help = true;
    bool size = true;                      ///< announce SIZE; the limit itself always holds
    std::uint64_t size_max = 64u << 20;    ///< octets of a message; 0: no limit
    std::size_t recipients_max = 1000;     ///< of one message
    std::size_t bad_commands_max = 20;     ///< of one connection; one more and it is closed
    std::size_t line_octets_max = 2048;    ///< of a command, CRLF included
    std::size_t output_octets_max = 16384; ///< of waiting replies; input is left where it is then
    std::chrono::seconds idle_max{300};    ///< how long to wait for the client (RFC 5321 §4.5.3.2.7)
};

/// Where a connection stands. What is legal there is in the table of commands.
enum class server_state {
    connecting, ///< told of nothing yet
    greeted,    ///< no EHLO or HELO yet
    ready,      ///< no message under way
    addressing, ///< MAIL was accepted
    content,    ///< behind the 354
    closed,     ///< nothing is taken any more
};

class server_session {
public:
    /// Is told of each command line when it is run, for a transcript of the conversation.
    using listener = std::function<void(std::string_view line)>;

    explicit server_session(server_options options, listener heard = {});
    ~server_session();

    /// Tells the session what happened; returns the one thing to do next. An event that does not
    /// answer the last action is a bug in the driver, and asserted. Views and references inside the
    /// returned action are valid until the next call.
    [[nodiscard]] server::action resume(const server::event& what);

    server_state state() const noexcept { return state_; }

    /// Replies that wait for the next ask::send.
    std::string_view unsent() const noexcept { return output_; }

private:
    struct command_row;
    struct message; // the transaction, and what it takes to read its content

    using step = std::optional<server::action>; // nothing: go on with the input

    static const command_row* find_row(command_name what) noexcept;

    step on_event(const server::told::connected& what);
    step on_event(const server::told::received& what);
    step on_event(const server::told::sent& what);
    step on_event(const server::told::decision& what);
    step on_event(const server::told::taken& what);
    step on_event(const server::told::closed& what);
    step on_event(const server::told::idle& what);

    server::action proceed();
    step take_line();
    step take_content();
    step end_content();
    bool over_limit() const noexcept;

    step run(const command& said);
    step on_hello(const command& said);
    step on_mail(const command& said);
    step on_rcpt(const command& said);
    step on_data(const command& said);
    step on_rset(const command& said);
    step on_noop(const command& said);
    step on_quit(const command& said);
    step on_vrfy(const command& said);
    step on_help(const command& said);
    step on_unsupported(const command& said);
    step on_bdat(const command& said);

    step decided_sender(const server::answer& reply);
    step decided_recipient(const server::answer& reply);
    step decided_begin(const server::answer& reply);
    step decided_complete(const server::answer& reply);

    std::optional<server::answer> refuse_sender(const server::transaction& mail) const;
    std::optional<server::answer> refuse_recipient(const path& to) const;
    std::optional<server::answer> take_parameter(const parameter& given, server::transaction& mail) const;

    step say(const server::answer& reply);
    step say_extensions();
    step bad(const server::answer& reply);
    step refuse_data(const server::answer& reply);
    step part(std::string_view why);
    step part(const server::answer& reply, std::string_view why);
    void write_line(int code, bool last, const enhanced_code* status, std::string_view text);

    server_options options_;
    listener heard_;
    server_state state_ = server_state::connecting;
    std::string hello_;
    bool esmtp_ = false;
    command_reader lines_;
    std::string_view input_;    // the driver's octets, not looked at yet
    std::string output_;        // replies that wait to be written
    std::string content_;       // decoded octets on their way up
    std::optional<path> asked_; // the recipient that is being decided about
    std::unique_ptr<message> message_;
    std::size_t bad_commands_ = 0;
    bool spoken_to_ = false;   // the client's first octet has come
    bool parting_ = false;     // close as soon as the replies are written
    std::string_view why_;     // and the reason
    std::size_t last_ask_ = 0; // index of the last action, which the next event must answer
};

} // namespace postrider::smtp
