// SPDX-License-Identifier: MIT
#pragma once
// smtp/session_table: the states of a client session, and the commands it can say, as tables.
//
// Every text, waiting time and legal transition is read from here and stands nowhere else. The
// waiting times are those of RFC 5321 §4.5.3.2; where it names none (EHLO, RSET, QUIT) the figure
// is ours: RSET and QUIT are short because nothing depends on them.

#include "postrider/verdict.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace postrider::smtp {

enum class session_state : std::uint8_t {
    start,
    greeting,
    ehlo,
    helo,
    starttls, // reached by nothing yet: TLS comes with its own machine
    auth,     // reached by nothing yet: AUTH comes with its own machine
    ready,
    envelope,
    lone_dot,
    body,
    end_of_data,
    reset,
    quit,
    closed,
};

constexpr std::uint32_t bit(session_state s) noexcept { return 1u << static_cast<unsigned>(s); }

struct state_row {
    session_state state;
    std::string_view name;
    phase where;              ///< what is going on while no reply is owed
    std::string_view meaning; ///< a sentence for people
    std::uint32_t next;       ///< the states that may follow; `closed` may follow every one
};

constexpr std::array<state_row, 14> session_states{{
    {session_state::start, "start", phase::connect, "there is no connection yet",
     bit(session_state::greeting)},
    {session_state::greeting, "greeting", phase::greeting, "connected; the server speaks first",
     bit(session_state::ehlo) | bit(session_state::quit)},
    {session_state::ehlo, "ehlo", phase::hello, "our name is told, and what the server offers is asked",
     bit(session_state::helo) | bit(session_state::starttls) | bit(session_state::auth) |
         bit(session_state::ready) | bit(session_state::quit)},
    {session_state::helo, "helo", phase::hello, "the server refused EHLO; nothing is offered",
     bit(session_state::ready) | bit(session_state::quit)},
    {session_state::starttls, "starttls", phase::starttls, "TLS is asked for; nothing leads here yet",
     bit(session_state::ehlo)},
    {session_state::auth, "auth", phase::auth, "we prove who we are; nothing leads here yet",
     bit(session_state::ready)},
    {session_state::ready, "ready", phase::between, "nothing is owed; a message may be submitted",
     bit(session_state::envelope) | bit(session_state::reset) | bit(session_state::quit)},
    {session_state::envelope, "envelope", phase::mail, "MAIL, RCPT and DATA are said and answered",
     bit(session_state::body) | bit(session_state::lone_dot) | bit(session_state::ready)},
    {session_state::lone_dot, "lone dot", phase::end_of_data,
     "the server said 354 though it accepted no recipient, and is owed an end of data",
     bit(session_state::ready)},
    {session_state::body, "body", phase::body, "the message and its end are written",
     bit(session_state::end_of_data)},
    {session_state::end_of_data, "end of data", phase::end_of_data,
     "written whole; the server decides who takes responsibility", bit(session_state::ready)},
    {session_state::reset, "reset", phase::between,
     "a transaction that the server holds open is thrown away before the next one",
     bit(session_state::ready) | bit(session_state::quit)},
    {session_state::quit, "quit", phase::quit, "the goodbye; nothing depends on its answer", 0},
    {session_state::closed, "closed", phase::none, "the conversation is over", 0},
}};

constexpr const state_row& row_of(session_state s) noexcept
{
    return session_states[static_cast<unsigned>(s)];
}

constexpr bool may_follow(session_state now, session_state next) noexcept
{
    return next == session_state::closed || (row_of(now).next & bit(next)) != 0;
}

/// What a reply answers. The greeting answers the connection; the end of data, the lone dot.
enum class verb : std::uint8_t { greeting, ehlo, helo, mail, rcpt, data, lone_dot, end_of_data, rset, quit };

struct verb_row {
    verb what;
    std::string_view
        name; ///< for people, where the command has no text of its own; nothing asks for a greeting
    phase where;
    std::chrono::seconds wait; ///< for its reply
    bool ends_group;           ///< must be the last of a pipelined group (RFC 2920 §3.1)
};

constexpr std::array<verb_row, 10> verbs{{
    {verb::greeting, "", phase::greeting, std::chrono::minutes(5), true},
    {verb::ehlo, "EHLO", phase::hello, std::chrono::minutes(5), true},
    {verb::helo, "HELO", phase::hello, std::chrono::minutes(5), true},
    {verb::mail, "MAIL", phase::mail, std::chrono::minutes(5), false},
    {verb::rcpt, "RCPT", phase::rcpt, std::chrono::minutes(5), false},
    {verb::data, "DATA", phase::data, std::chrono::minutes(2), true},
    {verb::lone_dot, "end of data", phase::end_of_data, std::chrono::minutes(10), true},
    {verb::end_of_data, "end of data", phase::end_of_data, std::chrono::minutes(10), true},
    {verb::rset, "RSET", phase::between, std::chrono::seconds(20), true},
    {verb::quit, "QUIT", phase::quit, std::chrono::seconds(10), true},
}};

constexpr const verb_row& row_of(verb v) noexcept { return verbs[static_cast<unsigned>(v)]; }

/// For each block of the body (RFC 5321 §4.5.3.2.5).
constexpr std::chrono::seconds body_block_wait = std::chrono::minutes(3);

constexpr bool tables_are_in_order() noexcept
{
    for (unsigned i = 0; i < session_states.size(); ++i)
        if (session_states[i].state != static_cast<session_state>(i))
            return false;
    for (unsigned i = 0; i < verbs.size(); ++i)
        if (verbs[i].what != static_cast<verb>(i))
            return false;
    return true;
}
static_assert(tables_are_in_order());

} // namespace postrider::smtp
