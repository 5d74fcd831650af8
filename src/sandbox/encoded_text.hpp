// SPDX-License-Identifier: MIT
#pragma once
// sandbox/encoded_text: text out of a message's encodings, as UTF-8 to be shown.
//
// For looking at mail, not for checking it: what is malformed is shown as well as it can be and
// never refused. Every function takes any octets, never throws on them, and runs in time linear
// in its input. What comes out is always well-formed UTF-8, except from the two decoders of
// transfer encodings, which give octets. It is still a stranger's text: control characters and
// bidirectional controls stand in it as they were sent.
//
// RFC 2045 §6.7, §6.8 (transfer encodings), RFC 2047 (encoded words), RFC 2231 §4 (parameters).

#include <cstddef>
#include <string>
#include <string_view>

namespace postrider::sandbox {

/// Well-formed UTF-8: each octet that belongs to no character becomes U+FFFD.
std::string valid_utf8(std::string_view octets);

/// True for the charsets that to_utf8() knows: UTF-8, US-ASCII, ISO-8859-1 and windows-1252.
bool is_known_charset(std::string_view charset) noexcept;

/// As UTF-8. ISO-8859-1 is read as windows-1252, whose characters stand where the former has only
/// controls, since mail so labelled holds them. An unknown charset is read as UTF-8.
std::string to_utf8(std::string_view octets, std::string_view charset);

/// An unstructured header value with its encoded words decoded. A word in an unknown charset or
/// encoding stays as it was. Neighbouring words of one charset are joined before they are decoded,
/// because senders cut characters in two, against RFC 2047 §5.
std::string decode_words(std::string_view value);

/// At most `limit` octets of what a quoted-printable or base64 body stands for. Line ends of
/// quoted-printable text stay what they are; anything outside base64's alphabet is skipped.
std::string decode_quoted_printable(std::string_view body, std::size_t limit);
std::string decode_base64(std::string_view body, std::size_t limit);

/// "%41" becomes "A"; with `plus_is_space`, as in the query of a form, '+' becomes ' '.
std::string decode_percent(std::string_view text, bool plus_is_space);

} // namespace postrider::sandbox
