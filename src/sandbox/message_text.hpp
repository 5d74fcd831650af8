// SPDX-License-Identifier: MIT
#pragma once
// sandbox/message_text: what a person would read of a message: its fields, its text, its parts.
//
// A modest reader for looking at captured mail. It walks the MIME structure once, in time linear
// in the message; the depth, the number of parts and fields and every size have a bound, and what
// was left out is said. Nothing is refused and nothing throws: garbage is shown as text. HTML is
// given as its source and never interpreted.
//
// Not done: messages inside messages are parts, not opened; comments and groups in fields stay as
// they were written; RFC 2231 continuations of a file name are not joined.
//
// RFC 5322 §2.2 (fields, folding), RFC 2045 to 2047 (MIME), RFC 2231 §4.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::sandbox {

struct reading_limits {
    std::size_t fields_max = 300;
    std::size_t field_octets_max = 8 * 1024;    ///< of one unfolded field; the rest is left out
    std::size_t header_octets_max = 256 * 1024; ///< of one header, whatever it holds
    std::size_t text_octets_max = 256 * 1024;
    std::size_t parts_max = 100;
    std::size_t depth_max = 8; ///< multiparts inside multiparts; deeper ones are shown as text
};

/// A header field, unfolded, its encoded words decoded; both UTF-8.
struct header_field {
    std::string name;
    std::string value;
};

/// A part that holds no other parts: the text itself, a picture, a file.
struct message_part {
    std::string type;       ///< "text/plain", in lower case
    std::string name;       ///< of the file, "" if none was given
    std::size_t octets = 0; ///< as encoded
};

struct message_text {
    std::vector<header_field> fields; ///< in their order, of the message itself, not of its parts
    bool fields_cut = false;          ///< a limit left fields, or the rest of one, out

    std::string text;      ///< UTF-8, lines ended by LF
    std::string text_type; ///< "text/plain"; "text/html" for HTML source; "" if there is no text
    bool text_cut = false;

    std::vector<message_part> parts;
    bool parts_cut = false;

    /// The value of the first field of that name, in any case; "" if there is none.
    std::string_view field(std::string_view name) const noexcept;
};

/// Reads a message as it was received (CRLF line ends; bare LF is understood too).
message_text read_message(std::string_view content, const reading_limits& limits = {});

/// Reads the header alone: fields and nothing else.
message_text read_header(std::string_view content, const reading_limits& limits = {});

} // namespace postrider::sandbox
