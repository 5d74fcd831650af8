// SPDX-License-Identifier: MIT
#pragma once
// base/text: ASCII text as mail protocols see it, and foreign text made safe to show.
//
// Locale-free: letters are A-Z and a-z, whatever the user's language. Text from a peer passes
// through escaped() before it reaches a terminal, a log, a page or an error.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postrider::base {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) noexcept { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char to_upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

std::string lower(std::string_view text);
std::string upper(std::string_view text);

/// Equal but for the case of ASCII letters.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// Without spaces, tabs, CR and LF at either end.
std::string_view trim(std::string_view text) noexcept;

/// True for well-formed UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF).
bool is_utf8(std::string_view text) noexcept;

struct code_point {
    char32_t value;
    std::size_t size; ///< octets it takes in UTF-8, 1 to 4
};

/// The code point that `text` begins with; nothing if `text` is empty or does not begin with
/// well-formed UTF-8.
std::optional<code_point> first_code_point(std::string_view text) noexcept;

/// True if any octet is above 0x7f.
bool has_eight_bit(std::string_view text) noexcept;

/// Foreign text, fit to be shown on one line: control characters, DEL, backslashes, C1 controls,
/// line and paragraph separators, bidirectional controls and what is not UTF-8 become \r, \n, \t,
/// \\ or \xNN; at most `limit` octets come out, the last of them "..." where something was left out.
std::string escaped(std::string_view text, std::size_t limit = 512);

/// "1 message", "3 messages", "2 replies", "0 addresses": regular English plurals.
std::string counted(std::size_t n, std::string_view singular);

} // namespace postrider::base
