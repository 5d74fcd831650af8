// SPDX-License-Identifier: MIT
// sandbox/encoded_text: text out of a message's encodings, as UTF-8 to be shown.

#include "sandbox/encoded_text.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace postrider::sandbox {

namespace {

enum class charset { utf8, latin1, unknown };

charset named_charset(std::string_view name) noexcept
{
    for (const std::string_view utf8 : {"utf-8", "utf8", "us-ascii", "ascii"})
        if (base::equal_ignoring_case(name, utf8))
            return charset::utf8;
    for (const std::string_view latin1 : {"iso-8859-1", "latin1", "windows-1252", "cp1252"})
        if (base::equal_ignoring_case(name, latin1))
            return charset::latin1;
    return charset::unknown;
}

// windows-1252 from 0x80 to 0x9f; 0 where it has no character.
constexpr std::array<char16_t, 32> windows_1252{
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

constexpr char16_t replacement = 0xfffd;

void append_utf8(std::string& out, char16_t c)
{
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xc0 | c >> 6);
        out += static_cast<char>(0x80 | (c & 0x3f));
    } else {
        out += static_cast<char>(0xe0 | c >> 12);
        out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
        out += static_cast<char>(0x80 | (c & 0x3f));
    }
}

std::string latin1_to_utf8(std::string_view octets)
{
    std::string out;
    out.reserve(octets.size() + octets.size() / 8);
    for (const char c : octets) {
        const auto octet = static_cast<unsigned char>(c);
        if (octet < 0x80 || octet >= 0xa0)
            append_utf8(out, octet);
        else
            append_utf8(out, windows_1252[octet - 0x80u] ? windows_1252[octet - 0x80u] : replacement);
    }
    return out;
}

std::optional<unsigned> hexadecimal(char c) noexcept
{
    if (base::is_digit(c))
        return static_cast<unsigned>(c - '0');
    const char lower = base::to_lower(c);
    if (lower >= 'a' && lower <= 'f')
        return static_cast<unsigned>(lower - 'a' + 10);
    return std::nullopt;
}

// The octet that two hexadecimal digits at `at` stand for.
std::optional<char> hexadecimal_octet(std::string_view text, std::size_t at) noexcept
{
    if (at + 2 > text.size())
        return std::nullopt;
    const auto high = hexadecimal(text[at]), low = hexadecimal(text[at + 1]);
    if (!high || !low)
        return std::nullopt;
    return static_cast<char>(*high << 4 | *low);
}

// Text in which `mark` and two hexadecimal digits stand for an octet; what follows a mark wrongly
// stays as it is. `space`, if any, stands for a space.
std::string decode_marked(std::string_view text, char mark, std::optional<char> space)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto octet = text[i] == mark ? hexadecimal_octet(text, i + 1) : std::nullopt;
        if (octet) {
            out += *octet;
            i += 2;
        } else {
            out += text[i] == space ? ' ' : text[i];
        }
    }
    return out;
}

struct encoded_word {
    std::string charset;
    std::string octets;
    std::size_t size = 0; // of the word itself, from "=?" to "?="
};

constexpr std::size_t word_octets_max = 512; // RFC 2047 says 75; real senders write longer ones

// The encoded word that `text` begins with. Looks at word_octets_max octets and no further, so
// that a value full of "=?" costs no more than a constant factor.
std::optional<encoded_word> leading_word(std::string_view text)
{
    if (!text.starts_with("=?"))
        return std::nullopt;
    const auto window = text.substr(0, word_octets_max);
    const auto charset_end = window.find('?', 2);
    if (charset_end == window.npos || charset_end + 2 >= window.size() || window[charset_end + 2] != '?')
        return std::nullopt;
    const auto body_begin = charset_end + 3;
    const auto body_end = window.find("?=", body_begin);
    const auto body = window.substr(body_begin, body_end - body_begin);
    if (body_end == window.npos || body.find_first_of(" \t\r\n") != body.npos)
        return std::nullopt;

    auto name = window.substr(2, charset_end - 2);
    name = name.substr(0, name.find('*')); // RFC 2231 §5: a language may follow
    const char encoding = base::to_lower(window[charset_end + 1]);
    if (!is_known_charset(name) || (encoding != 'b' && encoding != 'q'))
        return std::nullopt;

    encoded_word word;
    word.charset = base::lower(name);
    word.octets = encoding == 'b' ? decode_base64(body, body.size()) : decode_marked(body, '=', '_');
    word.size = body_end + 2;
    return word;
}

// Header text on its way to UTF-8: words of one charset wait until something else comes, so that
// a character cut in two is whole again.
class joined_text {
public:
    void add(encoded_word word)
    {
        if (word.charset != charset_)
            settle();
        charset_ = std::move(word.charset);
        octets_ += word.octets;
        // The space between two encoded words belongs to neither (RFC 2047 §6.2).
        if (after_word_)
            blanks_.clear();
        settle_blanks();
        after_word_ = true;
    }

    void add_plain(char c)
    {
        if (c == ' ' || c == '\t') {
            blanks_ += c;
            return;
        }
        settle();
        settle_blanks();
        plain_ += c;
        after_word_ = false;
    }

    std::string finish() &&
    {
        settle();
        settle_blanks();
        settle_plain();
        return std::move(out_);
    }

private:
    void settle_plain()
    {
        out_ += valid_utf8(plain_);
        plain_.clear();
    }

    void settle()
    {
        if (octets_.empty())
            return;
        settle_plain();
        out_ += to_utf8(octets_, charset_);
        octets_.clear();
    }

    void settle_blanks()
    {
        plain_ += blanks_;
        blanks_.clear();
    }

    std::string out_, plain_, blanks_, charset_, octets_;
    bool after_word_ = false;
};

int base64_digit(char c) noexcept
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (base::is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

} // namespace

std::string valid_utf8(std::string_view octets)
{
    if (base::is_utf8(octets))
        return std::string(octets);
    std::string out;
    out.reserve(octets.size() + octets.size() / 8);
    while (!octets.empty()) {
        const auto first = base::first_code_point(octets);
        if (first)
            out += octets.substr(0, first->size);
        else
            append_utf8(out, replacement);
        octets.remove_prefix(first ? first->size : 1);
    }
    return out;
}

bool is_known_charset(std::string_view charset) noexcept
{
    return named_charset(charset) != charset::unknown;
}

std::string to_utf8(std::string_view octets, std::string_view charset)
{
    return named_charset(charset) == charset::latin1 ? latin1_to_utf8(octets) : valid_utf8(octets);
}

std::string decode_words(std::string_view value)
{
    if (value.find("=?") == value.npos)
        return valid_utf8(value);
    joined_text text;
    while (!value.empty()) {
        if (auto word = leading_word(value)) {
            value.remove_prefix(word->size);
            text.add(std::move(*word));
        } else {
            text.add_plain(value.front());
            value.remove_prefix(1);
        }
    }
    return std::move(text).finish();
}

std::string decode_quoted_printable(std::string_view body, std::size_t limit)
{
    std::string out;
    while (!body.empty() && out.size() < limit) {
        auto line = body.substr(0, body.find('\n'));
        const bool ended = line.size() < body.size();
        body.remove_prefix(line.size() + (ended ? 1 : 0));
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        while (line.ends_with(' ') || line.ends_with('\t')) // added on the way (RFC 2045 §6.7 (3))
            line.remove_suffix(1);
        const bool soft = line.ends_with('=');
        line.remove_suffix(soft ? 1 : 0);
        out += decode_marked(line.substr(0, 3 * (limit - out.size())), '=', std::nullopt);
        if (ended && !soft)
            out += "\r\n";
    }
    out.resize(std::min(out.size(), limit));
    return out;
}

std::string decode_base64(std::string_view body, std::size_t limit)
{
    std::string out;
    unsigned bits = 0;
    int held = 0; // how many low bits of `bits` are not yet out
    for (const char c : body) {
        if (c == '=' || out.size() >= limit)
            break;
        const int digit = base64_digit(c);
        if (digit < 0)
            continue;
        bits = bits << 6 | static_cast<unsigned>(digit);
        held += 6;
        if (held >= 8) {
            held -= 8;
            out += static_cast<char>(bits >> held & 0xff);
        }
    }
    return out;
}

std::string decode_percent(std::string_view text, bool plus_is_space)
{
    return decode_marked(text, '%', plus_is_space ? std::optional('+') : std::nullopt);
}

} // namespace postrider::sandbox
