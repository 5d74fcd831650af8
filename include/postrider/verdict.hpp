// SPDX-License-Identifier: MIT
#pragma once
// smtp/verdict: the five ends that a message can come to for one recipient, and where.

#include <string_view>

namespace postrider {

/// What became of the message for one recipient. Every message ends in exactly one for each.
enum class verdict {
    delivered, ///< the server took responsibility: 2yz after the end of data. Do not send again.
    refused,   ///< a permanent no: 5yz, null MX, no such domain, policy. Sending again is no use.
    deferred,  ///< not now: 4yz, no host reachable, connection lost before the end of data was written.
    in_doubt,  ///< the end of data was written whole and its reply never came: again may duplicate.
    untried,   ///< never attempted: cancelled, or an earlier failure ended the session.
};

std::string_view to_string(verdict v) noexcept; ///< "in doubt"

/// Where in the life of a message something happened, in the order of that life.
enum class phase {
    none,        ///< nothing happened yet
    lookup,      ///< finding the mail exchangers and their addresses in DNS
    connect,     ///< making the connection
    greeting,    ///< waiting for the server's first words
    hello,       ///< EHLO or HELO
    starttls,    ///< STARTTLS and the handshake
    auth,        ///< AUTH
    mail,        ///< MAIL: the reverse-path
    rcpt,        ///< RCPT: this forward-path
    data,        ///< DATA, up to its 354
    body,        ///< writing the message
    end_of_data, ///< written whole, waiting for the verdict
    between,     ///< between messages: RSET, NOOP, idle
    quit,        ///< QUIT
};

std::string_view to_string(phase p) noexcept; ///< "end of data"

} // namespace postrider
