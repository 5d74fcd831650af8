// SPDX-License-Identifier: MIT
#pragma once
// support/server_player: plays a transcript against the receiving session, in every way it may be cut.
//
//     # RFC 5321 §4.1.1.2: a sender out of order
//     > answer bob@b.example 550 5.1.1 no such user
//     S: 220 mx.b.example ESMTP Postrider
//     C: MAIL FROM:<ann@a.example>
//     S: 503 5.5.1 say EHLO first
//     !: client closes
//     = from <> to postmaster text "hello\r\n"
//
// `C:` a line that the client says, `S:` one that the server must answer; consecutive `C:` lines are
// pipelined. \r \n \t \\ \xNN mean what they do in C, and \c at the end leaves the line end out. `!:`
// what the network does: `client closes`, `idle`; or what the server must do: `server closes`, with
// words of its reason if they follow in quotes. `=` a message that must have come in, in order. `>`
// a setting: `size N`, `recipients N`, `bad commands N`, `line N`, `output N`, `name WORD`, `no
// pipelining`, `no size`, `no 8bitmime`, `no smtputf8`, `no enhanced codes`, `no help`, `busy`,
// `whole` (what the client says comes in one piece, or it would be another conversation); `answer
// WHAT CODE STATUS TEXT`: what the application says to a sender, a recipient, to `data` or to the
// `message`.
//
// check_server() plays it whole and in pieces of 1, 2, 7 and 60 octets, each in memory of its own, and
// all must go as written; whole, a group is answered in one write. Then it plays up to every step and
// loses the connection there, and again lets the wait run out: the session must end, and no message
// may have come in whose end had not been said.

#include "smtp/server_session.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::test {

struct server_script {
    struct step {
        char who;         ///< 'C', 'S' or '!'
        std::string text; ///< 'C' and 'S': octets with their line end; '!': the words
        int line;
    };
    struct message {
        std::string from;
        std::vector<std::string> to;
        std::string text;

        friend bool operator==(const message&, const message&) = default;
    };

    std::string title;
    smtp::server_options options;
    bool busy = false, whole = false;
    std::map<std::string, smtp::server::answer> answers; ///< by address, "data" or "message"
    std::vector<step> steps;
    std::vector<message> messages;

    /// Throws std::runtime_error that names the line.
    static server_script parse(std::string_view text);
};

/// Every way in which the session did not do as written, as sentences; empty is good.
std::vector<std::string> check_server(const server_script& script);
std::vector<std::string> check_server(std::string_view text);

} // namespace postrider::test
