// SPDX-License-Identifier: MIT
// smtp/command_parser: verbs, paths and parameters.

#include "smtp/command_parser.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace postrider::smtp {
namespace {

using base::equal_ignoring_case;

struct verb_name {
    std::string_view name;
    command_name what;
};

constexpr verb_name verb_names[] = {
    {"HELO", command_name::helo},   {"EHLO", command_name::ehlo},    {"MAIL", command_name::mail},
    {"RCPT", command_name::rcpt},   {"DATA", command_name::data},    {"RSET", command_name::rset},
    {"NOOP", command_name::noop},   {"QUIT", command_name::quit},    {"VRFY", command_name::vrfy},
    {"EXPN", command_name::expn},   {"HELP", command_name::help},    {"STARTTLS", command_name::starttls},
    {"AUTH", command_name::auth},   {"BDAT", command_name::bdat},    {"GET", command_name::http},
    {"POST", command_name::http},   {"PUT", command_name::http},     {"HEAD", command_name::http},
    {"DELETE", command_name::http}, {"OPTIONS", command_name::http}, {"CONNECT", command_name::http},
    {"TRACE", command_name::http},  {"PATCH", command_name::http},   {"PRI", command_name::http},
};

constexpr bool is_control(char c) noexcept
{
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
}

std::string_view without_spaces(std::string_view text) noexcept
{
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// Where the ">" stands that closes the path which begins at `text`'s first octet; npos if none
/// does. One inside a quoted local part closes nothing.
std::size_t closing_bracket(std::string_view text) noexcept
{
    bool quoted = false;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (quoted && text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && text[i] == '>')
            return i;
    }
    return std::string_view::npos;
}

/// Takes a source route, "@one.example,@two.example:", off the front of a path. The hosts in it are
/// not asked (RFC 5321 appendix C), but they must be hosts: what cannot be read is refused.
result<std::string_view> without_route(std::string_view text)
{
    while (!text.empty() && text.front() == '@') {
        const std::size_t literal = text.substr(0, 2) == "@[" ? text.find(']') : 0;
        const std::size_t end = text.find_first_of(",:", literal == std::string_view::npos ? 0 : literal);
        if (end == std::string_view::npos)
            return problem{"the source route does not end"};
        if (!parse_domain(text.substr(1, end - 1)))
            return problem{"the source route names no host"};
        const bool last = text[end] == ':';
        text.remove_prefix(end + 1);
        if (last)
            return text;
        if (text.empty() || text.front() != '@')
            return problem{"the source route does not end"};
    }
    return text;
}

bool is_keyword(std::string_view text) noexcept
{
    const auto fits = [](char c) { return base::is_letter(c) || base::is_digit(c) || c == '-'; };
    return !text.empty() && text.front() != '-' && std::all_of(text.begin(), text.end(), fits);
}

bool is_value(std::string_view text) noexcept
{
    return !text.empty() && text.find('=') == std::string_view::npos &&
           std::none_of(text.begin(), text.end(), is_control) && base::is_utf8(text);
}

result<parameter> parse_parameter(std::string_view text)
{
    const std::size_t equals = text.find('=');
    const std::string_view keyword = text.substr(0, equals);
    if (!is_keyword(keyword))
        return problem{"a parameter's name is letters, digits and hyphens"};
    parameter read{base::upper(keyword), std::nullopt, std::string(text)};
    if (equals == std::string_view::npos)
        return read;
    const std::string_view value = text.substr(equals + 1);
    if (!is_value(value))
        return problem{"the value of " + base::escaped(read.keyword, 32) + " cannot be read"};
    read.value = std::string(value);
    return read;
}

result<std::vector<parameter>> parse_parameters(std::string_view text)
{
    std::vector<parameter> all;
    while (!(text = without_spaces(text)).empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        result<parameter> one = parse_parameter(word);
        if (!one)
            return one.problem();
        const auto same = [&](const parameter& p) { return p.keyword == one->keyword; };
        if (std::any_of(all.begin(), all.end(), same))
            return problem{"the parameter " + base::escaped(one->keyword, 32) + " stands there twice"};
        all.push_back(std::move(*one));
        text.remove_prefix(word.size());
    }
    return all;
}

result<path> parse_path(std::string_view argument, std::string_view prefix, std::string_view nobody)
{
    if (!equal_ignoring_case(argument.substr(0, prefix.size()), prefix))
        return problem{std::string(prefix) + "<address> must follow"};
    argument = without_spaces(argument.substr(prefix.size()));
    if (argument.empty() || argument.front() != '<')
        return problem{"the address must stand in angle brackets"};
    const std::size_t end = closing_bracket(argument);
    if (end == std::string_view::npos)
        return problem{"the angle bracket is not closed"};
    const std::string_view behind = argument.substr(end + 1);
    if (!behind.empty() && behind.front() != ' ')
        return problem{"a space must stand behind the address"};

    path read;
    read.eight_bit = base::has_eight_bit(argument);
    const result<std::string_view> inside = without_route(argument.substr(1, end - 1));
    if (!inside)
        return inside.problem();
    if (!equal_ignoring_case(*inside, nobody)) {
        result<address> mailbox = address::parse(*inside);
        if (!mailbox)
            return mailbox.problem();
        read.mailbox = std::move(*mailbox);
    }
    result<std::vector<parameter>> parameters = parse_parameters(behind);
    if (!parameters)
        return parameters.problem();
    read.parameters = std::move(*parameters);
    return read;
}

} // namespace

command parse_command(std::string_view line)
{
    if (std::any_of(line.begin(), line.end(), is_control))
        return {};
    const std::string_view word = line.substr(0, line.find(' '));
    for (const verb_name& known : verb_names)
        if (equal_ignoring_case(word, known.name))
            return {known.what, without_spaces(line.substr(word.size()))};
    return {command_name::unknown, line};
}

result<path> parse_mail(std::string_view argument) { return parse_path(argument, "FROM:", ""); }

result<path> parse_rcpt(std::string_view argument) { return parse_path(argument, "TO:", "postmaster"); }

std::optional<std::uint64_t> parse_size(std::string_view digits) noexcept
{
    constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
    if (digits.empty() || digits.size() > 20)
        return std::nullopt;
    std::uint64_t number = 0;
    for (const char c : digits) {
        if (!base::is_digit(c))
            return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        number = number > (largest - digit) / 10 ? largest : number * 10 + digit;
    }
    return number;
}

} // namespace postrider::smtp
