// SPDX-License-Identifier: MIT
#pragma once
// cli/simple_text: the message of `send --subject --body`: a few header fields and plain text.
//
// RFC 5322 for the fields, RFC 2047 for a subject that is not ASCII, base64 for a text that is not,
// or has lines too long to travel. Line ends are CRLF. A CR, LF or NUL in a subject is refused, not
// taken out: a header field that means something else than was typed is worse than none.

#include "postrider/message.hpp"
#include "postrider/result.hpp"

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

namespace postrider::cli {

struct text_parts {
    std::string_view subject, text;
    std::time_t date;        ///< for the Date field, in UTC
    std::string_view unique; ///< the left side of the Message-ID, printable ASCII
    std::string_view our_name;
};

result<std::string> simple_text(const envelope& from_and_to, const text_parts& parts);

/// A subject as it stands behind "Subject: ", folded (RFC 2047 §2: words of at most 75 octets).
std::string encoded_subject(std::string_view subject);

/// RFC 5322 §3.3, in UTC: "Sun, 22 Nov 2026 10:58:08 +0000".
std::string date_field(std::time_t when);

std::string base64(std::string_view octets, std::size_t line_octets); ///< 0: all on one line

} // namespace postrider::cli
