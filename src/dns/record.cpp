// SPDX-License-Identifier: MIT
// dns/record: the names of types and codes, and addresses to and from text.

#include "dns/record.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>

namespace postrider::dns {
namespace {

using groups = std::array<std::uint16_t, 8>;

groups groups_of(const aaaa_data& a) noexcept
{
    groups g{};
    for (std::size_t i = 0; i < g.size(); ++i)
        g[i] = static_cast<std::uint16_t>(a.octets[2 * i] << 8 | a.octets[2 * i + 1]);
    return g;
}

struct run {
    std::size_t first = 0, length = 0;
};

// The longest run of two or more zero groups, the first of equals (RFC 5952 §4.2).
run longest_zeros(const groups& g) noexcept
{
    run best;
    for (std::size_t i = 0; i < g.size(); ++i) {
        std::size_t end = i;
        while (end < g.size() && g[end] == 0)
            ++end;
        if (end - i > best.length)
            best = {i, end - i};
        i = std::max(i, end);
    }
    return best.length >= 2 ? best : run{};
}

bool is_mapped(const aaaa_data& a) noexcept
{
    return std::all_of(a.octets.begin(), a.octets.begin() + 10, [](auto o) { return o == 0; }) &&
           a.octets[10] == 0xff && a.octets[11] == 0xff;
}

std::optional<std::uint16_t> parse_group(std::string_view text) noexcept
{
    if (text.empty() || text.size() > 4)
        return std::nullopt;
    unsigned value = 0;
    for (const char c : text) {
        const char l = base::to_lower(c);
        if (base::is_digit(l))
            value = value * 16 + static_cast<unsigned>(l - '0');
        else if (l >= 'a' && l <= 'f')
            value = value * 16 + static_cast<unsigned>(l - 'a' + 10);
        else
            return std::nullopt;
    }
    return static_cast<std::uint16_t>(value);
}

/// Groups with single colons between them; the last may be an IPv4 address, worth two.
std::optional<std::vector<std::uint16_t>> parse_groups(std::string_view text, bool may_end_in_ipv4)
{
    std::vector<std::uint16_t> found;
    while (!text.empty()) {
        const std::size_t colon = text.find(':');
        const std::string_view part = text.substr(0, colon);
        const bool last = colon == std::string_view::npos;
        if (last && may_end_in_ipv4 && part.find('.') != std::string_view::npos) {
            const auto tail = parse_a(part);
            if (!tail)
                return std::nullopt;
            found.push_back(static_cast<std::uint16_t>(tail->octets[0] << 8 | tail->octets[1]));
            found.push_back(static_cast<std::uint16_t>(tail->octets[2] << 8 | tail->octets[3]));
            return found;
        }
        const auto group = parse_group(part);
        if (!group || found.size() == 8)
            return std::nullopt;
        found.push_back(*group);
        if (last)
            return found;
        text.remove_prefix(colon + 1);
        if (text.empty())
            return std::nullopt; // a colon with nothing behind it
    }
    return found;
}

} // namespace

std::string to_string(type t)
{
    switch (t) {
    case type::a: return "A";
    case type::ns: return "NS";
    case type::cname: return "CNAME";
    case type::soa: return "SOA";
    case type::ptr: return "PTR";
    case type::mx: return "MX";
    case type::txt: return "TXT";
    case type::aaaa: return "AAAA";
    case type::opt: return "OPT";
    case type::tlsa: return "TLSA";
    case type::any: return "ANY";
    }
    return fmt::format("TYPE{}", static_cast<unsigned>(t));
}

std::string to_string(rcode r)
{
    switch (r) {
    case rcode::no_error: return "NOERROR";
    case rcode::format_error: return "FORMERR";
    case rcode::server_failure: return "SERVFAIL";
    case rcode::name_error: return "NXDOMAIN";
    case rcode::not_implemented: return "NOTIMP";
    case rcode::refused: return "REFUSED";
    }
    return fmt::format("RCODE{}", static_cast<unsigned>(r));
}

std::string to_string(const a_data& a)
{
    return fmt::format("{}.{}.{}.{}", a.octets[0], a.octets[1], a.octets[2], a.octets[3]);
}

std::string to_string(const aaaa_data& a)
{
    if (is_mapped(a)) // the one prefix that RFC 5952 §5 can be sure of
        return "::ffff:" + to_string(a_data{{a.octets[12], a.octets[13], a.octets[14], a.octets[15]}});

    const groups g = groups_of(a);
    const run zeros = longest_zeros(g);
    std::string text;
    for (std::size_t i = 0; i < g.size(); ++i) {
        if (zeros.length != 0 && i == zeros.first) {
            text += "::";
            i += zeros.length - 1;
            continue;
        }
        if (!text.empty() && text.back() != ':')
            text += ':';
        text += fmt::format("{:x}", g[i]);
    }
    return text;
}

result<a_data> parse_a(std::string_view text)
{
    const problem no{"an IPv4 address has four numbers from 0 to 255 with dots between them"};
    a_data found{};
    std::size_t at = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        if (i > 0 && (at >= text.size() || text[at++] != '.'))
            return no;
        const std::size_t start = at;
        unsigned value = 0;
        while (at < text.size() && at - start < 3 && base::is_digit(text[at]))
            value = value * 10 + static_cast<unsigned>(text[at++] - '0');
        // A leading zero means octal to some readers: two meanings, so none.
        if (at == start || value > 255 || (text[start] == '0' && at - start > 1))
            return no;
        found.octets[i] = static_cast<std::uint8_t>(value);
    }
    if (at != text.size())
        return no;
    return found;
}

result<aaaa_data> parse_aaaa(std::string_view text)
{
    const problem no{
        "an IPv6 address has eight groups of up to four hexadecimal digits, or :: for some of them"};
    const std::size_t gap = text.find("::");
    const bool has_gap = gap != std::string_view::npos;
    const auto before = parse_groups(text.substr(0, gap), !has_gap);
    const auto after = parse_groups(has_gap ? text.substr(gap + 2) : std::string_view{}, true);
    if (!before || !after)
        return no;
    const std::size_t count = before->size() + after->size();
    if (has_gap ? count > 7 : count != 8)
        return no;

    groups g{};
    std::copy(before->begin(), before->end(), g.begin());
    std::copy_backward(after->begin(), after->end(), g.end());
    aaaa_data found{};
    for (std::size_t i = 0; i < g.size(); ++i) {
        found.octets[2 * i] = static_cast<std::uint8_t>(g[i] >> 8);
        found.octets[2 * i + 1] = static_cast<std::uint8_t>(g[i] & 0xff);
    }
    return found;
}

} // namespace postrider::dns
