// SPDX-License-Identifier: MIT
#pragma once
// smtp/step: the whole vocabulary between a session and its driver: six asks, seven tells.
//
// The driver performs one action, tells what happened, and gets the next. Input may come while a
// write is under way (RFC 2920 §3.1 forbids to stop reading); the session then answers with `wait`,
// which means: go on with what you do. Waiting times travel inside the actions, so that neither
// side needs the other's clock.

#include "postrider/verdict.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace postrider::smtp {

enum class ask {
    write, ///< write `octets` whole, then tell `written`; input that comes meanwhile is told at once
    body,  ///< write message `message` and its end through a data_encoder, then tell `body_written`
    wait,  ///< nothing new: wait for input, or for the write that is under way
    rest,  ///< nothing is owed on either side: a message, or the goodbye, may be told
    close, ///< the conversation is over: close the connection
};

struct action {
    ask what;
    phase where;                   ///< for messages about time limits and progress
    std::chrono::seconds limit{0}; ///< at most this long without progress; 0: for ever (at rest)
    std::string_view octets{};     ///< ask::write; stays valid until `written` was told
    std::uint64_t message = 0;     ///< ask::body: the id that submit() gave
    bool goes_on = false;          ///< ask::wait: still for the same; octets that end no reply buy no time
};

enum class told {
    connected,    ///< the connection stands; the server speaks first
    submitted,    ///< a message was put in with submit()
    goodbye,      ///< no more messages: say QUIT
    written,      ///< all octets of the last ask::write are with the operating system
    body_written, ///< the body and its end are, to the last octet
    received,     ///< `octets` came
    failed,       ///< `why`: the connection was lost, a limit ran out, the caller cancelled, the
                  ///< body's source failed; nothing can be written or read any more
};

struct event {
    told what;
    std::string_view octets{};      ///< told::received
    std::error_code why{};          ///< told::failed
    std::string_view detail{};      ///< told::failed: words to add, from the operating system or the source
    std::chrono::seconds waited{0}; ///< told::failed with error::timed_out
    bool more = false; ///< told::received: more may have come already; the session only takes note
};

} // namespace postrider::smtp
