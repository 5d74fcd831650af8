// SPDX-License-Identifier: MIT
// smtp/reply_parser: octets from a server, cut into replies (RFC 5321 §4.2).
//
// The same octets must end in the same words however they were split, so each decision below
// depends on the line's first octets alone and falls at the first octet that allows it, or waits
// for a fixed number of them. A line that is no reply is the one case that waits: for its end, a
// NUL or `quoted_octets_max`, so that there is something to quote.

#include "smtp/reply_parser.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace postrider::smtp {

namespace {

constexpr std::size_t quoted_octets_max = 80;
constexpr std::size_t quote_shown_max = 160;

// False as soon as `line`, of which more may come, cannot become a line of a reply.
bool may_be_reply_line(std::string_view line) noexcept
{
    const auto digits = line.substr(0, 3);
    if (!std::all_of(digits.begin(), digits.end(), base::is_digit))
        return false;
    if (!digits.empty() && (digits.front() < '2' || digits.front() > '5'))
        return false;
    const auto behind = line.substr(digits.size(), 2);
    if (behind.empty())
        return true;
    if (behind.front() == '\r')
        return behind.size() == 1 || behind[1] == '\n';
    return behind.front() == ' ' || behind.front() == '-' || behind.front() == '\n';
}

std::string_view without_line_end(std::string_view line) noexcept
{
    if (line.ends_with('\n'))
        line.remove_suffix(1);
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    return line;
}

std::string quoted(std::string_view line)
{
    const auto start = without_line_end(line.substr(0, quoted_octets_max));
    return fmt::format("\"{}\"", base::escaped(start, quote_shown_max));
}

// A record of TLS 1.0 to 1.3 begins with its type, 20 to 24, and 3 (RFC 8446 §5.1): what a TLS
// server answers to a greeting's silence or to plain text is an alert.
bool looks_like_tls(std::string_view line) noexcept
{
    return line.size() >= 2 && line[0] >= 20 && line[0] <= 24 && line[1] == 3;
}

std::string_view protocol_of(std::string_view line) noexcept
{
    constexpr std::pair<std::string_view, std::string_view> beginnings[] = {
        {"HTTP/", "HTTP"}, {"SSH-", "SSH"},   {"+OK", "POP3"},       {"-ERR", "POP3"},
        {"* OK", "IMAP"},  {"* BYE", "IMAP"}, {"* PREAUTH", "IMAP"}, {"* BAD", "IMAP"},
    };
    if (looks_like_tls(line))
        return "TLS";
    for (const auto& [beginning, name] : beginnings) {
        if (line.starts_with(beginning))
            return name;
    }
    return {};
}

bool begins_with_a_code(std::string_view line) noexcept
{
    return line.size() >= 3 && std::all_of(line.begin(), line.begin() + 3, base::is_digit);
}

std::string what_is_wrong_with(std::string_view line)
{
    if (const auto protocol = protocol_of(line); !protocol.empty())
        return fmt::format("that looks like {}, not SMTP: {}", protocol, quoted(line));
    if (without_line_end(line).empty())
        return "an empty line came where a reply should stand";
    if (!begins_with_a_code(line))
        return fmt::format("not a reply, as it does not begin with a code of three digits: {}", quoted(line));
    if (line.front() < '2' || line.front() > '5')
        return fmt::format("not a reply, as {} is not between 200 and 599: {}", line.substr(0, 3),
                           quoted(line));
    return fmt::format("not a reply, as neither a space nor a hyphen follows the code: {}", quoted(line));
}

// Takes a number of RFC 3463 from the front of `text`: one to three digits, no leading zeros.
std::optional<int> take_number(std::string_view& text) noexcept
{
    int value = 0;
    std::size_t digits = 0;
    while (digits < text.size() && base::is_digit(text[digits])) {
        if (digits == 3 || (digits == 1 && value == 0))
            return std::nullopt;
        value = value * 10 + (text[digits++] - '0');
    }
    if (digits == 0)
        return std::nullopt;
    text.remove_prefix(digits);
    return value;
}

bool take_dot(std::string_view& text) noexcept
{
    if (!text.starts_with('.'))
        return false;
    text.remove_prefix(1);
    return true;
}

} // namespace

reply_parser::status reply_parser::read(std::string_view& input)
{
    assert(status_ != status::complete && "the reply before this one was not taken");
    while (status_ == status::incomplete && !input.empty()) {
        const auto piece = next_piece(input);
        input.remove_prefix(piece.size());
        if (held_.empty() && piece.ends_with('\n')) {
            on_octets(piece); // the usual case: a whole line, judged where it lies
            continue;
        }
        held_ += piece;
        on_octets(held_);
        if (piece.ends_with('\n'))
            held_.clear();
    }
    return status_;
}

// Up to and with the first line end or NUL, and not beyond what the line may have.
std::string_view reply_parser::next_piece(std::string_view input) const noexcept
{
    auto piece = input.substr(0, line_room() - held_.size());
    piece = piece.substr(0, std::min(piece.find('\n'), piece.size() - 1) + 1);
    return piece.substr(0, std::min(piece.find('\0'), piece.size() - 1) + 1);
}

// Never 0: on_line() gives up when nothing is left for another line.
std::size_t reply_parser::line_room() const noexcept
{
    return std::min(line_octets_max, reply_octets_max - octets_);
}

// `line` is all that has come of the line; it has grown by at least one octet.
void reply_parser::on_octets(std::string_view line)
{
    const bool ended = line.back() == '\n';
    const bool nul = line.back() == '\0';
    if (!may_be_reply_line(line)) {
        if (ended || nul || line.size() >= quoted_octets_max)
            return give_up(what_is_wrong_with(line));
    } else if (ended) {
        return on_line(line);
    } else if (nul) {
        return give_up(fmt::format("a reply with a NUL in it: {}", quoted(line)));
    }
    if (line.size() < line_room())
        return;
    if (line.size() == line_octets_max)
        return give_up(
            fmt::format("a reply with a line of more than {} octets: {}", line_octets_max, quoted(line)));
    give_up(fmt::format("a reply of more than {} octets", reply_octets_max));
}

void reply_parser::on_line(std::string_view line)
{
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (!lines_.empty() && code != code_)
        return give_up(
            fmt::format("the lines of one reply have different codes, {} and then: {}", code_, quoted(line)));
    code_ = code;
    octets_ += line.size();
    const bool more = line[3] == '-';
    const auto text = without_line_end(line);
    lines_.emplace_back(text.substr(std::min<std::size_t>(text.size(), 4)));
    if (!more)
        status_ = status::complete;
    else if (lines_.size() == lines_max)
        give_up(fmt::format("a reply of more than {} lines", lines_max));
    else if (octets_ == reply_octets_max)
        give_up(fmt::format("a reply of more than {} octets", reply_octets_max));
}

reply reply_parser::take()
{
    assert(status_ == status::complete && "no reply is complete");
    const auto enhanced = parse_enhanced_code(code_, lines_.front());
    reply complete(code_, enhanced, std::move(lines_));
    reset();
    return complete;
}

void reply_parser::give_up(std::string why)
{
    reset();
    status_ = status::broken;
    why_ = std::move(why);
}

void reply_parser::reset() { *this = reply_parser(); }

std::optional<enhanced_code> parse_enhanced_code(int code, std::string_view text) noexcept
{
    enhanced_code found;
    for (int* const number : {&found.status, &found.subject, &found.detail}) {
        if (number != &found.status && !take_dot(text))
            return std::nullopt;
        const auto value = take_number(text);
        if (!value)
            return std::nullopt;
        *number = *value;
    }
    const bool ends = text.empty() || text.front() == ' ' || text.front() == '\t';
    const bool known_class = found.status == 2 || found.status == 4 || found.status == 5;
    if (!ends || !known_class || found.status != code / 100)
        return std::nullopt;
    return found;
}

} // namespace postrider::smtp
