// SPDX-License-Identifier: MIT
// sandbox/zone_reader: a zone from text, line by line, with problems that name the line.

#include "base/text.hpp"
#include "sandbox/zone.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace postrider::sandbox {
namespace {

struct word {
    std::string text;
    bool quoted = false;
    std::size_t at = 0; ///< offset in the line
};

using words = std::span<const word>;

std::string shown(const word& w) { return base::escaped(w.text, 80); }

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r'; }

/// Reads a quoted string from behind its first quote; `at` ends behind the last.
result<std::string> read_quoted(std::string_view line, std::size_t& at)
{
    const std::size_t start = at - 1;
    std::string text;
    for (; at < line.size(); ++at) {
        if (line[at] == '"') {
            ++at;
            return text;
        }
        if (line[at] != '\\') {
            text += line[at];
            continue;
        }
        const auto digits = line.substr(at + 1, 3);
        unsigned value = 0;
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (digits.size() == 3 && failure == std::errc{} && end == digits.data() + 3 && value <= 255) {
            text += static_cast<char>(static_cast<unsigned char>(value));
            at += 3;
        } else if (!digits.empty() && !base::is_digit(digits[0])) {
            text += line[++at];
        } else {
            return problem{"a backslash in a string wants three digits up to 255, or one other character",
                           at};
        }
    }
    return problem{"a string has no closing quote", start};
}

result<std::vector<word>> read_words(std::string_view line)
{
    std::vector<word> found;
    std::size_t at = 0;
    while (at < line.size()) {
        if (is_blank(line[at])) {
            ++at;
            continue;
        }
        if (line[at] == ';' || line[at] == '#')
            break;
        const std::size_t start = at;
        if (line[at] == '"') {
            auto text = read_quoted(line, ++at);
            if (!text)
                return text.problem();
            found.push_back({*std::move(text), true, start});
            continue;
        }
        while (at < line.size() && !is_blank(line[at]) && line[at] != ';' && line[at] != '"')
            at += line[at] == '\\' && at + 1 < line.size() ? 2 : 1; // an escaped octet ends no word
        found.push_back({std::string(line.substr(start, at - start)), false, start});
    }
    return found;
}

std::optional<std::uint32_t> read_number(const word& w, std::uint32_t max)
{
    std::uint32_t value = 0;
    const char* const end = w.text.data() + w.text.size();
    const auto [stopped, failure] = std::from_chars(w.text.data(), end, value);
    if (w.quoted || failure != std::errc{} || stopped != end || value > max)
        return std::nullopt;
    return value;
}

result<dns::name> read_name(const word& w)
{
    if (w.quoted || base::has_eight_bit(w.text))
        return problem{fmt::format("\"{}\" is not a domain name (in ASCII, without quotes)", shown(w)), w.at};
    auto name = dns::name::parse(w.text);
    if (!name)
        return problem{fmt::format("\"{}\": {}", shown(w), name.problem().what), w.at};
    return name;
}

std::optional<dns::type> type_named(const word& w)
{
    for (const auto kind : {dns::type::a, dns::type::aaaa, dns::type::cname, dns::type::mx, dns::type::ns,
                            dns::type::ptr, dns::type::tlsa, dns::type::txt})
        if (!w.quoted && base::equal_ignoring_case(w.text, dns::to_string(kind)))
            return kind;
    return std::nullopt;
}

std::optional<dns_behaviour> behaviour_named(const word& w)
{
    constexpr std::pair<std::string_view, dns_behaviour> names[] = {
        {"SERVFAIL", dns_behaviour::server_failure}, {"REFUSED", dns_behaviour::refused},
        {"NOTIMP", dns_behaviour::not_implemented},  {"NXDOMAIN", dns_behaviour::name_error},
        {"SILENT", dns_behaviour::silent},
    };
    for (const auto& [name, what] : names)
        if (!w.quoted && base::equal_ignoring_case(w.text, name))
            return what;
    return std::nullopt;
}

// ---- the data of each type ------------------------------------------------------------------

problem wants(dns::type kind, std::string_view what)
{
    return {fmt::format("{} wants {}", dns::to_string(kind), what)};
}

result<dns::record_data> read_a(words data)
{
    const auto address = data.size() == 1 ? dns::parse_a(data[0].text) : wants(dns::type::a, "");
    if (!address)
        return wants(dns::type::a, "one IPv4 address, like 127.0.0.2");
    return dns::record_data(*address);
}

result<dns::record_data> read_aaaa(words data)
{
    const auto address = data.size() == 1 ? dns::parse_aaaa(data[0].text) : wants(dns::type::aaaa, "");
    if (!address)
        return wants(dns::type::aaaa, "one IPv6 address, like ::1");
    return dns::record_data(*address);
}

template <class Data>
result<dns::record_data> read_target(dns::type kind, words data)
{
    if (data.size() != 1)
        return wants(kind, "one name");
    auto name = read_name(data[0]);
    if (!name)
        return name.problem();
    return dns::record_data(Data{*std::move(name)});
}

result<dns::record_data> read_mx(words data)
{
    const auto preference = data.size() == 2 ? read_number(data[0], 65535) : std::nullopt;
    if (!preference)
        return wants(dns::type::mx, "a preference up to 65535 and a name, like 10 mx1.example.org");
    auto name = read_name(data[1]);
    if (!name)
        return name.problem();
    return dns::record_data(dns::mx_data{static_cast<std::uint16_t>(*preference), *std::move(name)});
}

result<dns::record_data> read_txt(words data)
{
    dns::txt_data found;
    for (const auto& w : data) {
        if (w.text.size() > 255)
            return problem{"a string of TXT has at most 255 octets; write it as several", w.at};
        found.strings.push_back(w.text);
    }
    if (found.strings.empty())
        return wants(dns::type::txt, "at least one string, like \"v=spf1 -all\"");
    return dns::record_data(std::move(found));
}

std::optional<std::vector<std::uint8_t>> read_hex(words data)
{
    std::string digits;
    for (const auto& w : data)
        digits += w.text;
    if (digits.empty() || digits.size() % 2 != 0)
        return std::nullopt;
    std::vector<std::uint8_t> octets;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        std::uint8_t octet = 0;
        const auto [end, failure] = std::from_chars(&digits[i], &digits[i] + 2, octet, 16);
        if (failure != std::errc{} || end != &digits[i] + 2)
            return std::nullopt;
        octets.push_back(octet);
    }
    return octets;
}

result<dns::record_data> read_tlsa(words data)
{
    const auto problem =
        wants(dns::type::tlsa, "usage, selector, matching type and hexadecimal digits, like 3 1 1 ab...");
    if (data.size() < 4)
        return problem;
    const auto usage = read_number(data[0], 255), selector = read_number(data[1], 255),
               matching = read_number(data[2], 255);
    auto association = read_hex(data.subspan(3));
    if (!usage || !selector || !matching || !association)
        return problem;
    return dns::record_data(dns::tlsa_data{static_cast<std::uint8_t>(*usage),
                                           static_cast<std::uint8_t>(*selector),
                                           static_cast<std::uint8_t>(*matching), *std::move(association)});
}

result<dns::record_data> read_data(dns::type kind, words data)
{
    switch (kind) {
    case dns::type::a: return read_a(data);
    case dns::type::aaaa: return read_aaaa(data);
    case dns::type::cname: return read_target<dns::cname_data>(kind, data);
    case dns::type::ns: return read_target<dns::ns_data>(kind, data);
    case dns::type::ptr: return read_target<dns::ptr_data>(kind, data);
    case dns::type::mx: return read_mx(data);
    case dns::type::tlsa: return read_tlsa(data);
    case dns::type::txt: return read_txt(data);
    default: return problem{"records of this type cannot be written here"};
    }
}

// ---- one line -------------------------------------------------------------------------------

/// The word that stops a reader of master files from being understood, if there is one.
std::optional<problem> foreign_word(words line)
{
    const auto& first = line.front();
    if (first.text.starts_with('$') && !first.quoted)
        return problem{fmt::format("{} is not understood here: every name is written whole", shown(first)),
                       first.at};
    for (const auto& w : line) {
        if (!w.quoted && w.text == "@")
            return problem{"@ is not understood here: every name is written whole", w.at};
        if (!w.quoted && (w.text.starts_with('(') || w.text.ends_with('(')))
            return problem{"a record stands on one line: ( is not understood here", w.at};
    }
    return std::nullopt;
}

std::optional<problem> read_line(zone& into, words line)
{
    if (auto foreign = foreign_word(line))
        return foreign;
    auto owner = read_name(line[0]);
    if (!owner)
        return owner.problem();
    auto rest = line.subspan(1);

    std::uint32_t ttl = zone::default_ttl;
    if (!rest.empty() && !rest[0].quoted && base::is_digit(rest[0].text[0])) {
        const auto given = read_number(rest[0], 0x7fffffff);
        if (!given)
            return problem{fmt::format("\"{}\" is not a time to live in seconds", shown(rest[0])),
                           rest[0].at};
        ttl = *given;
        rest = rest.subspan(1);
    }
    if (!rest.empty() && !rest[0].quoted && base::equal_ignoring_case(rest[0].text, "IN"))
        rest = rest.subspan(1);
    if (rest.empty())
        return problem{fmt::format("{} has neither a type nor a behaviour", owner->to_string()), line[0].at};

    if (const auto behaviour = behaviour_named(rest[0]); behaviour && rest.size() == 1)
        return into.add(*owner, std::nullopt, *behaviour);
    const auto kind = type_named(rest[0]);
    if (!kind)
        return problem{fmt::format("\"{}\" is no type (A AAAA CNAME MX NS PTR TLSA TXT) and no behaviour "
                                   "(SERVFAIL REFUSED NOTIMP NXDOMAIN SILENT)",
                                   shown(rest[0])),
                       rest[0].at};
    if (rest.size() == 2)
        if (const auto behaviour = behaviour_named(rest[1]))
            return into.add(*owner, *kind, *behaviour);
    auto data = read_data(*kind, rest.subspan(1));
    if (!data)
        return data.problem();
    return into.add(dns::record{*std::move(owner), *kind, ttl, *std::move(data)});
}

} // namespace

result<zone> zone::parse(std::string_view text)
{
    zone made;
    std::size_t start = 0;
    for (std::size_t number = 1; start < text.size(); ++number) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const auto line = read_words(text.substr(start, end - start));
        std::optional<problem> wrong;
        if (!line)
            wrong = line.problem();
        else if (!line->empty())
            wrong = read_line(made, *line);
        if (wrong)
            return problem{fmt::format("line {}: {}", number, wrong->what),
                           start + (wrong->at == std::string::npos ? 0 : wrong->at)};
        start = end + 1;
    }
    return made;
}

} // namespace postrider::sandbox
