// SPDX-License-Identifier: MIT
// smtp/address_literal: an address of a host in the place of its name (RFC 5321 §4.1.3).

#include "smtp/address_literal.hpp"

#include "base/text.hpp"
#include "smtp/misplaced.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace postrider::smtp {

namespace {

constexpr auto npos = std::string_view::npos;

bool is_hexadecimal_digit(char c) noexcept
{
    return base::is_digit(c) || (base::to_lower(c) >= 'a' && base::to_lower(c) <= 'f');
}

// Takes what stands before the next `separator` off `text`, and the separator with it.
std::string_view take_until(std::string_view& text, char separator) noexcept
{
    const auto end = std::min(text.find(separator), text.size());
    const auto taken = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return taken;
}

bool is_decimal_octet(std::string_view text) noexcept
{
    if (text.empty() || text.size() > 3 || !std::all_of(text.begin(), text.end(), base::is_digit))
        return false;
    if (text.size() > 1 && text.front() == '0')
        return false;
    return text.size() < 3 || text <= "255";
}

bool is_group(std::string_view text) noexcept
{
    return !text.empty() && text.size() <= 4 && std::all_of(text.begin(), text.end(), is_hexadecimal_digit);
}

// How many groups of 16 bits stand in `text` with colons between them; an IPv4 address, where one
// may end it, counts as two. Nothing if it is not well formed.
std::optional<std::size_t> count_groups(std::string_view text, bool ipv4_may_end) noexcept
{
    if (text.empty())
        return 0;
    if (text.back() == ':')
        return std::nullopt;
    std::size_t groups = 0;
    while (!text.empty()) {
        const bool ends = text.find(':') == npos;
        const auto group = take_until(text, ':');
        if (is_group(group))
            groups += 1;
        else if (ends && ipv4_may_end && is_ipv4(group))
            groups += 2;
        else
            return std::nullopt;
    }
    return groups;
}

bool is_tag(std::string_view text) noexcept
{
    const auto may_stand = [](char c) { return base::is_letter(c) || base::is_digit(c) || c == '-'; };
    return !text.empty() && text.back() != '-' && std::all_of(text.begin(), text.end(), may_stand);
}

bool is_literal_content(char c) noexcept { return c > 0x20 && c < 0x7f && c != '[' && c != ']' && c != '\\'; }

problem no_literal(std::string_view what, std::size_t offset)
{
    return {fmt::format("the address literal at octet {} {}", offset, what), offset};
}

} // namespace

bool is_ipv4(std::string_view text) noexcept
{
    if (std::count(text.begin(), text.end(), '.') != 3)
        return false;
    for (int i = 0; i < 4; ++i) {
        if (!is_decimal_octet(take_until(text, '.')))
            return false;
    }
    return true;
}

bool is_ipv6(std::string_view text) noexcept
{
    const auto gap = text.find("::");
    if (gap == npos)
        return count_groups(text, true) == 8;
    if (text.find("::", gap + 1) != npos)
        return false;
    const auto before = count_groups(text.substr(0, gap), false);
    const auto behind = count_groups(text.substr(gap + 2), true);
    return before && behind && *before + *behind <= 6;
}

result<std::string> parse_address_literal(std::string_view text, std::size_t offset)
{
    if (!text.starts_with('['))
        return no_literal("does not begin with a bracket", offset);
    const auto end = std::min(text.find(']'), text.size());
    const auto content = text.substr(1, end - 1);
    for (std::size_t i = 0; i < content.size(); ++i) {
        if (!is_literal_content(content[i]))
            return misplaced(content, i, "an address literal cannot hold it", offset + 1);
    }
    if (end == text.size())
        return no_literal("lacks its closing bracket", offset);
    if (end + 1 < text.size())
        return misplaced(text, end + 1, "nothing may follow an address literal", offset);

    const auto colon = content.find(':');
    if (colon == npos) {
        if (!is_ipv4(content))
            return no_literal("is neither an IPv4 address, as [192.0.2.1], nor tagged, as [IPv6:2001:db8::1]",
                              offset);
        return std::string(text);
    }
    const auto tag = content.substr(0, colon);
    const auto tagged = content.substr(colon + 1);
    if (base::equal_ignoring_case(tag, "IPv6")) {
        if (!is_ipv6(tagged))
            return no_literal("is not an IPv6 address, as [IPv6:2001:db8::1]", offset);
        return fmt::format("[IPv6:{}]", base::lower(tagged));
    }
    if (is_ipv6(content))
        return no_literal(fmt::format("lacks its tag: [IPv6:{}]", content), offset);
    if (!is_tag(tag) || tagged.empty())
        return no_literal("is not of the form [tag:text]", offset);
    return std::string(text);
}

} // namespace postrider::smtp
