// SPDX-License-Identifier: MIT
// cli/simple_text: header fields, and when they need another coat.

#include "cli/simple_text.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postrider::cli {
namespace {

constexpr std::size_t line_octets_max = 998; // RFC 5322 §2.1.1

bool plain(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// Where a piece of UTF-8 of at most `octets` may end without cutting a character in two.
std::size_t whole_characters(std::string_view text, std::size_t octets)
{
    std::size_t end = std::min(octets, text.size());
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;
    return end > 0 ? end : std::min(octets, text.size());
}

bool travels_as_it_is(std::string_view text)
{
    std::size_t line = 0;
    for (char c : text) {
        if (c == '\n' || c == '\r')
            line = 0;
        else if (++line > line_octets_max || static_cast<unsigned char>(c) >= 0x80)
            return false;
    }
    return true;
}

std::string with_crlf(std::string_view text)
{
    std::string out;
    out.reserve(text.size() + text.size() / 32 + 2);
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' || text[i] == '\n') {
            out += "\r\n";
            if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n')
                ++i;
        } else {
            out += text[i];
        }
    }
    if (!out.empty() && !out.ends_with("\r\n"))
        out += "\r\n";
    return out;
}

} // namespace

std::string base64(std::string_view octets, std::size_t line_octets)
{
    static constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    std::size_t column = 0;
    for (std::size_t i = 0; i < octets.size(); i += 3) {
        const std::string_view three = octets.substr(i, 3);
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k < 3; ++k)
            bits = bits << 8 | (k < three.size() ? static_cast<unsigned char>(three[k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k)
            out += k <= three.size() ? letters[bits >> (18 - 6 * k) & 63] : '=';
        column += 4;
        if (line_octets != 0 && column >= line_octets && i + 3 < octets.size()) {
            out += "\r\n";
            column = 0;
        }
    }
    return out;
}

std::string encoded_subject(std::string_view subject)
{
    // An ASCII subject that looks like an encoded word would be read as one.
    if (plain(subject) && subject.size() <= 200 && subject.find("=?") == std::string_view::npos)
        return std::string(subject);
    std::string out;
    while (!subject.empty()) {
        // Lines of at most 76 (RFC 2047 §2): 52 octets of base64 behind "Subject: ", or 60 behind a space, and
        // 12 for the frame.
        const std::size_t piece = whole_characters(subject, out.empty() ? 39 : 45);
        out +=
            fmt::format("{}=?UTF-8?B?{}?=", out.empty() ? "" : "\r\n ", base64(subject.substr(0, piece), 0));
        subject.remove_prefix(piece);
    }
    return out;
}

std::string date_field(std::time_t when)
{
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm t{};
    ::gmtime_r(&when, &t);
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000", days[static_cast<std::size_t>(t.tm_wday)],
                       t.tm_mday, months[static_cast<std::size_t>(t.tm_mon)], t.tm_year + 1900, t.tm_hour,
                       t.tm_min, t.tm_sec);
}

result<std::string> simple_text(const envelope& from_and_to, const text_parts& parts)
{
    if (const std::size_t at = parts.subject.find_first_of(std::string_view("\r\n\0", 3));
        at != std::string_view::npos)
        return problem{"--subject holds a line end or a NUL, and a header field cannot", at};
    if (!base::is_utf8(parts.subject))
        return problem{"--subject is not UTF-8"};
    if (!base::is_utf8(parts.text))
        return problem{"--body is not UTF-8"};
    if (const std::size_t at = parts.text.find('\0'); at != std::string_view::npos)
        return problem{"--body holds a NUL, and a text cannot", at};

    std::string out;
    // A message needs a From field (RFC 5322 §3.6); the null reverse-path has no address to put there.
    out += fmt::format("From: {}\r\n", from_and_to.reverse_path()
                                           ? from_and_to.reverse_path()->to_string(true)
                                           : fmt::format("MAILER-DAEMON@{}", parts.our_name));
    out += "To: ";
    bool first = true;
    for (const address& to : from_and_to.recipients()) {
        out += fmt::format("{}{}", first ? "" : ",\r\n ", to.to_string(true));
        first = false;
    }
    out += fmt::format("\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{}@{}>\r\n",
                       encoded_subject(parts.subject), date_field(parts.date), parts.unique, parts.our_name);
    out += "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
    const std::string text = with_crlf(parts.text);
    if (travels_as_it_is(text))
        return out + "Content-Transfer-Encoding: 7bit\r\n\r\n" + text;
    return out + "Content-Transfer-Encoding: base64\r\n\r\n" + base64(text, 76) + "\r\n";
}

} // namespace postrider::cli
