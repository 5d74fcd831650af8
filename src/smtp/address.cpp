// SPDX-License-Identifier: MIT
// smtp/address: the mailbox of one person, as it stands in an envelope (RFC 5321 §4.1.2).
//
// Limits are those of the printed form, with as few quotes and backslashes as it needs: that is what
// travels. One pass over the octets, no recursion.

#include "postrider/address.hpp"

#include "base/text.hpp"
#include "smtp/domain.hpp"
#include "smtp/misplaced.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace postrider {

using smtp::misplaced;

namespace {

constexpr std::size_t local_octets_max = 64;
constexpr std::size_t address_octets_max = 254; // a path has 256 with its angle brackets
constexpr std::size_t input_octets_max = 1024;  // room for needless backslashes, and no more

constexpr std::string_view quotes_advice = "put the local part in quotes";
constexpr std::string_view held_by_none = "no address can hold it";

// What a local part means, and where in the input it ended: at the @ if all is well.
struct local_part {
    std::string meaning;
    std::size_t end;
};

constexpr bool is_atom_octet(char c) noexcept
{
    constexpr std::string_view others = "!#$%&'*+-/=?^_`{|}~";
    return base::is_letter(c) || base::is_digit(c) || others.find(c) != std::string_view::npos;
}

constexpr bool is_printable_ascii(char c) noexcept { return c >= 0x20 && c < 0x7f; }

// Octets that `text` begins with and that make one character of a UTF-8 local part (RFC 6531
// §3.3); 0 if it begins with ASCII, a C1 control, or what is not UTF-8.
std::size_t leading_utf8(std::string_view text) noexcept
{
    const auto first = base::first_code_point(text);
    return first && first->value > 0x9f ? first->size : 0;
}

bool is_dot_string(std::string_view local) noexcept
{
    const auto fits = [](char c) {
        return is_atom_octet(c) || c == '.' || static_cast<unsigned char>(c) > 0x7f;
    };
    return !local.empty() && local.front() != '.' && local.back() != '.' &&
           local.find("..") == std::string_view::npos && std::all_of(local.begin(), local.end(), fits);
}

std::string printed(const std::string& local)
{
    if (is_dot_string(local))
        return local;
    std::string out = "\"";
    for (const char c : local) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out += '"';
}

problem no_at_sign(std::size_t at) { return {"there is no @: an address reads local@domain", at}; }

std::string_view advice_for(char c) noexcept
{
    if (c == '<')
        return "give the address alone, without a name and angle brackets";
    return is_printable_ascii(c) ? quotes_advice : held_by_none;
}

// local@: atoms with dots between them.
result<local_part> parse_dot_string(std::string_view text)
{
    const auto at_sign = text.find('@');
    if (at_sign == std::string_view::npos)
        return no_at_sign(text.size());
    if (at_sign == 0)
        return problem{"the local part is missing: an address reads local@domain", 0};
    const auto local = text.substr(0, at_sign);
    for (std::size_t i = 0; i < local.size();) {
        const bool lone_dot = local[i] == '.' && i > 0 && i + 1 < local.size() && local[i - 1] != '.';
        const std::size_t taken = lone_dot || is_atom_octet(local[i]) ? 1 : leading_utf8(local.substr(i));
        if (taken == 0)
            return misplaced(local, i, advice_for(local[i]));
        i += taken;
    }
    return local_part{std::string(local), at_sign};
}

// "local"@: anything that can be printed, a backslash before what would end it.
result<local_part> parse_quoted_string(std::string_view text)
{
    std::string meaning;
    for (std::size_t i = 1; i < text.size();) {
        if (text[i] == '"')
            return local_part{meaning, i + 1};
        const bool escaped = text[i] == '\\';
        if (escaped && ++i == text.size())
            break;
        std::size_t taken = is_printable_ascii(text[i]) ? 1 : 0;
        if (taken == 0 && !escaped)
            taken = leading_utf8(text.substr(i));
        if (taken == 0)
            return misplaced(text, i, escaped ? "a backslash goes before printable ASCII" : held_by_none);
        meaning += text.substr(i, taken);
        i += taken;
    }
    return problem{"the quote at octet 0 is not closed", 0};
}

result<local_part> parse_local_part(std::string_view text)
{
    if (!text.starts_with('"'))
        return parse_dot_string(text);
    auto quoted = parse_quoted_string(text);
    if (!quoted)
        return quoted;
    if (quoted->end == text.size())
        return no_at_sign(text.size());
    if (text[quoted->end] != '@')
        return misplaced(text, quoted->end, "an @ must follow the closing quote");
    return quoted;
}

problem too_long(std::string_view what, std::size_t most, std::size_t octets)
{
    return {fmt::format("{} has at most {} octets, this has {}", what, most, octets), 0};
}

} // namespace

result<address> address::parse(std::string_view text)
{
    if (text.empty())
        return problem{"nothing stands where an address should", 0};
    if (text.size() > input_octets_max)
        return too_long("an address", address_octets_max, text.size());
    auto local = parse_local_part(text);
    if (!local)
        return local.problem();
    const std::size_t domain_at = local->end + 1;
    auto domain = smtp::parse_domain_at(text.substr(domain_at), domain_at);
    if (!domain)
        return domain.problem();

    const std::size_t local_octets = printed(local->meaning).size();
    if (local_octets > local_octets_max)
        return too_long("a local part", local_octets_max, local_octets);
    const std::size_t octets = local_octets + 1 + std::max(domain->written.size(), domain->ascii.size());
    if (octets > address_octets_max)
        return too_long("an address", address_octets_max, octets);

    address parsed;
    parsed.local_ = std::move(local->meaning);
    parsed.domain_ = std::move(domain->written);
    parsed.ascii_domain_ = std::move(domain->ascii);
    return parsed;
}

address::address(std::string_view text)
{
    auto parsed = parse(text);
    if (!parsed)
        throw std::invalid_argument(parsed.problem().what);
    *this = *std::move(parsed);
}

bool address::needs_smtputf8() const noexcept { return base::has_eight_bit(local_); }

std::string address::to_string(bool utf8) const
{
    return printed(local_).append(1, '@').append(utf8 ? domain_ : ascii_domain_);
}

} // namespace postrider
