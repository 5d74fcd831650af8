// SPDX-License-Identifier: MIT
// base/text: ASCII text as mail protocols see it, and foreign text made safe to show.

#include "base/text.hpp"

#include <algorithm>
#include <initializer_list>

namespace postrider::base {

namespace {

struct code_point_form {
    std::size_t size;   // octets in all
    char32_t lead_bits; // what the first octet carries
    char32_t least;     // anything smaller has a shorter, and therefore the only valid, form
};

constexpr code_point_form no_form{0, 0, 0};

code_point_form form_of(unsigned char lead) noexcept
{
    if (lead < 0x80)
        return {1, lead, 0};
    if (lead >= 0xc2 && lead <= 0xdf)
        return {2, lead & 0x1fu, 0x80};
    if (lead >= 0xe0 && lead <= 0xef)
        return {3, lead & 0x0fu, 0x800};
    if (lead >= 0xf0 && lead <= 0xf4)
        return {4, lead & 0x07u, 0x10000};
    return no_form;
}

bool is_line_or_paragraph_separator(char32_t c) noexcept { return c == 0x2028 || c == 0x2029; }

// Marks, embeddings, overrides and isolates (UAX #9): each can make a line read differently from
// what it says.
bool is_bidirectional_control(char32_t c) noexcept
{
    return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

bool is_fit_to_show(char32_t c) noexcept
{
    return c >= 0x20 && c != '\\' && !(c >= 0x7f && c <= 0x9f) && !is_line_or_paragraph_separator(c) &&
           !is_bidirectional_control(c);
}

void append_hexadecimal(std::string& out, unsigned char octet)
{
    constexpr char digits[] = "0123456789abcdef";
    out += "\\x";
    out += digits[octet >> 4];
    out += digits[octet & 0x0f];
}

void append_escape(std::string& out, char c)
{
    switch (c) {
    case '\r': out += "\\r"; break;
    case '\n': out += "\\n"; break;
    case '\t': out += "\\t"; break;
    case '\\': out += "\\\\"; break;
    default: append_hexadecimal(out, static_cast<unsigned char>(c));
    }
}

// Takes one code point, or one octet that belongs to none, from the front of `text`.
void append_shown(std::string& out, std::string_view& text)
{
    const auto first = first_code_point(text);
    const auto taken = text.substr(0, first ? first->size : 1);
    if (first && is_fit_to_show(first->value)) {
        out += taken;
    } else {
        for (const char c : taken)
            append_escape(out, c);
    }
    text.remove_prefix(taken.size());
}

bool ends_with_any(std::string_view word, std::initializer_list<std::string_view> endings) noexcept
{
    return std::any_of(endings.begin(), endings.end(), [word](auto e) { return word.ends_with(e); });
}

} // namespace

std::string lower(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), to_lower);
    return out;
}

std::string upper(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), to_upper);
    return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::string_view trim(std::string_view text) noexcept
{
    constexpr std::string_view blanks = " \t\r\n";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::optional<code_point> first_code_point(std::string_view text) noexcept
{
    if (text.empty())
        return std::nullopt;
    const auto form = form_of(static_cast<unsigned char>(text.front()));
    if (form.size == 0 || form.size > text.size())
        return std::nullopt;
    char32_t value = form.lead_bits;
    for (const char c : text.substr(1, form.size - 1)) {
        const auto octet = static_cast<unsigned char>(c);
        if ((octet & 0xc0) != 0x80)
            return std::nullopt;
        value = value << 6 | (octet & 0x3fu);
    }
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < form.least || value > 0x10ffff || surrogate)
        return std::nullopt;
    return code_point{value, form.size};
}

bool is_utf8(std::string_view text) noexcept
{
    while (!text.empty()) {
        const auto first = first_code_point(text);
        if (!first)
            return false;
        text.remove_prefix(first->size);
    }
    return true;
}

bool has_eight_bit(std::string_view text) noexcept
{
    return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7f; });
}

std::string escaped(std::string_view text, std::size_t limit)
{
    constexpr std::string_view ellipsis = "...";
    const std::size_t room = limit > ellipsis.size() ? limit - ellipsis.size() : 0;
    std::string out;
    std::size_t cut = 0; // where the last whole unit ended that leaves room for the ellipsis
    while (!text.empty()) {
        append_shown(out, text);
        if (out.size() > limit) {
            out.resize(cut);
            return out.append(ellipsis.substr(0, limit));
        }
        if (out.size() <= room)
            cut = out.size();
    }
    return out;
}

std::string counted(std::size_t n, std::string_view singular)
{
    std::string out = std::to_string(n) + ' ';
    if (n == 1)
        return out.append(singular);
    if (singular.ends_with('y') && !ends_with_any(singular, {"ay", "ey", "oy", "uy"}))
        return out.append(singular.substr(0, singular.size() - 1)).append("ies");
    return out.append(singular).append(ends_with_any(singular, {"s", "x", "ch", "sh"}) ? "es" : "s");
}

} // namespace postrider::base
