// SPDX-License-Identifier: MIT
// smtp/domain: where mail goes, as it stands behind the @ or is said in EHLO (RFC 5321 §2.3.5).

#include "smtp/domain.hpp"

#include "base/text.hpp"
#include "postrider/address.hpp"
#include "smtp/address_literal.hpp"
#include "smtp/idn.hpp"
#include "smtp/misplaced.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace postrider::smtp {

namespace {

constexpr std::size_t name_octets_max = 253; // 255 on the wire of DNS, with lengths and the root
constexpr std::size_t label_octets_max = 63;
constexpr std::size_t literal_octets_max = 255;
constexpr std::size_t input_octets_max = 4 * name_octets_max; // nothing longer is worth converting

constexpr std::string_view domain_advice = "a domain has letters, digits, hyphens and dots";

bool is_label_octet(char c) noexcept
{
    return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '_';
}

std::string_view advice_for(char c) noexcept
{
    switch (c) {
    case '@': return "one address is expected, and a local part with an @ in it must be in quotes";
    case ':': return "an IPv6 address stands in brackets, as [IPv6:2001:db8::1]";
    case ',':
    case ';': return "one address is expected";
    case '>': return "give the address without angle brackets";
    default: return domain_advice;
    }
}

// The first octet that no domain has, be it ASCII or UTF-8. What is UTF-8 is left to IDNA.
std::optional<problem> find_misplaced(std::string_view name, std::size_t offset)
{
    for (std::size_t i = 0; i < name.size();) {
        const auto first = base::first_code_point(name.substr(i));
        const bool fits = first && (first->value > 0x9f || is_label_octet(name[i]) || name[i] == '.');
        if (!fits)
            return misplaced(name, i, advice_for(name[i]), offset);
        i += first->size;
    }
    return std::nullopt;
}

problem bad_label(std::string_view label, std::size_t offset, std::string_view why)
{
    return {fmt::format("\"{}\" at octet {}: {}", base::escaped(label, 80), offset, why), offset};
}

// For what is written and for what a mapping gave alike: U+2488 is one character and becomes "1.".
bool is_ascii_label(std::string_view label) noexcept
{
    return !label.empty() && label.size() <= label_octets_max && label.front() != '-' &&
           label.back() != '-' && std::all_of(label.begin(), label.end(), is_label_octet);
}

// `label` is not empty and holds octets of domains only.
result<std::string> parse_label(std::string_view label, std::size_t offset)
{
    if (label.front() == '-' || label.back() == '-')
        return bad_label(label, offset, "a hyphen may not begin or end a part of a domain");
    auto ascii = base::lower(label);
    if (base::has_eight_bit(label)) {
        auto converted = to_ascii_label(label);
        if (!converted)
            return bad_label(label, offset, converted.problem().what);
        ascii = *std::move(converted);
        if (!is_ascii_label(ascii))
            return bad_label(label, offset, "it does not stand for one part of a domain");
    } else if (ascii.starts_with("xn--")) {
        if (const auto unicode = to_unicode_label(ascii); !unicode)
            return bad_label(label, offset, unicode.problem().what);
    }
    if (ascii.size() > label_octets_max)
        return bad_label(label, offset, "a part of a domain has at most 63 octets");
    return ascii;
}

result<std::string> parse_name(std::string_view name, std::size_t offset)
{
    std::string ascii;
    for (std::size_t begin = 0; begin <= name.size();) {
        const auto end = std::min(name.find('.', begin), name.size());
        if (end == begin)
            return misplaced(name, end < name.size() ? end : end - 1, "no part of a domain is empty", offset);
        const auto label = parse_label(name.substr(begin, end - begin), offset + begin);
        if (!label)
            return label;
        if (!ascii.empty())
            ascii += '.';
        ascii += *label;
        begin = end + 1;
    }
    return ascii;
}

problem too_long(std::size_t octets, std::size_t most, std::size_t offset)
{
    return {fmt::format("a domain has at most {} octets, this has {}", most, octets), offset};
}

result<domain> parse_literal(std::string_view text, std::size_t offset)
{
    auto literal = parse_address_literal(text, offset);
    if (!literal)
        return literal.problem();
    if (text.size() > literal_octets_max)
        return too_long(text.size(), literal_octets_max, offset);
    return domain{std::string(text), *std::move(literal)};
}

} // namespace

result<domain> parse_domain_at(std::string_view text, std::size_t offset)
{
    if (text.size() > input_octets_max)
        return too_long(text.size(), name_octets_max, offset);
    if (text.starts_with('['))
        return parse_literal(text, offset);
    if (text.ends_with('.') && text.size() > 1)
        text.remove_suffix(1);
    if (text.empty())
        return problem{"the domain is missing", offset};
    if (auto found = find_misplaced(text, offset))
        return *std::move(found);
    if (is_ipv4(text))
        return problem{fmt::format("an IPv4 address stands in brackets: [{}]", text), offset};
    auto ascii = parse_name(text, offset);
    if (!ascii)
        return ascii.problem();
    if (ascii->size() > name_octets_max)
        return too_long(ascii->size(), name_octets_max, offset);
    return domain{std::string(text), *std::move(ascii)};
}

} // namespace postrider::smtp

namespace postrider {

result<std::string> parse_domain(std::string_view text)
{
    auto parsed = smtp::parse_domain_at(text, 0);
    if (!parsed)
        return parsed.problem();
    return std::move(parsed->ascii);
}

} // namespace postrider
