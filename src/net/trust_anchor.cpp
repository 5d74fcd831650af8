// SPDX-License-Identifier: MIT
// net/trust_anchor: words, then what each of them has to be.

#include "net/trust_anchor.hpp"

#include "base/text.hpp"
#include "dns/name.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace postrider::net {

namespace {

constexpr std::size_t record_octets_max = 4096; // an RSA key of 16,384 bits takes 2,732

struct word {
    std::string_view text;
    std::size_t at;
};

using words = std::span<const word>;

std::vector<word> split(std::string_view record)
{
    constexpr std::string_view blanks = " \t";
    std::vector<word> found;
    std::size_t begin = record.find_first_not_of(blanks);
    while (begin != std::string_view::npos) {
        const std::size_t end = std::min(record.find_first_of(blanks, begin), record.size());
        found.push_back({record.substr(begin, end - begin), begin});
        begin = record.find_first_not_of(blanks, end);
    }
    return found;
}

std::optional<std::uint32_t> read_number(std::string_view digits, std::uint32_t most)
{
    std::uint32_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, number);
    if (error != std::errc{} || stop != end || number > most) {
        return std::nullopt;
    }
    return number;
}

std::string join(words parts)
{
    std::string whole;
    for (const word& part : parts) {
        whole += part.text;
    }
    return whole;
}

bool is_hexadecimal(char c)
{
    return base::is_digit(c) || (base::to_lower(c) >= 'a' && base::to_lower(c) <= 'f');
}

/// The digits of a digest of this type; 0 where the type is unknown to us (any even number will do).
std::size_t digest_digits(std::uint32_t digest_type)
{
    switch (digest_type) {
    case 1: return 40; // SHA-1
    case 2: return 64; // SHA-256
    case 4: return 96; // SHA-384
    default: return 0;
    }
}

std::optional<problem> check_ds(words data)
{
    if (data.size() < 4) {
        return problem{"a DS record has a key tag, an algorithm, a digest type and a digest",
                       std::string::npos};
    }
    if (!read_number(data[0].text, 65535)) {
        return problem{"the key tag is a number from 0 to 65535", data[0].at};
    }
    if (!read_number(data[1].text, 255)) {
        return problem{"the algorithm is a number from 0 to 255", data[1].at};
    }
    const auto digest_type = read_number(data[2].text, 255);
    if (!digest_type) {
        return problem{"the digest type is a number from 0 to 255", data[2].at};
    }
    const std::string digest = join(data.subspan(3));
    if (digest.size() % 2 != 0 || !std::all_of(digest.begin(), digest.end(), is_hexadecimal)) {
        return problem{"the digest is an even number of hexadecimal digits", data[3].at};
    }
    const std::size_t expected = digest_digits(*digest_type);
    if (expected != 0 && digest.size() != expected) {
        return problem{"the digest does not have the length that its type has", data[3].at};
    }
    return std::nullopt;
}

bool is_base64(std::string_view text)
{
    const std::size_t padding = text.size() - std::min(text.find_last_not_of('=') + 1, text.size());
    const std::string_view digits = text.substr(0, text.size() - padding);
    return !digits.empty() && text.size() % 4 == 0 && padding <= 2 &&
           std::all_of(digits.begin(), digits.end(), [](char c) {
               return base::is_digit(c) || base::is_letter(c) || c == '+' || c == '/';
           });
}

std::optional<problem> check_dnskey(words data)
{
    if (data.size() < 4) {
        return problem{"a DNSKEY record has flags, a protocol, an algorithm and a key", std::string::npos};
    }
    if (!read_number(data[0].text, 65535)) {
        return problem{"the flags are a number from 0 to 65535", data[0].at};
    }
    if (read_number(data[1].text, 255) != 3u) {
        return problem{"the protocol of a DNSKEY record is 3", data[1].at};
    }
    if (!read_number(data[2].text, 255)) {
        return problem{"the algorithm is a number from 0 to 255", data[2].at};
    }
    if (!is_base64(join(data.subspan(3)))) {
        return problem{"the key is not base64", data[3].at};
    }
    return std::nullopt;
}

/// What follows the owner, its TTL and its class: each of these at most once, in either order.
words after_class_and_ttl(words rest)
{
    bool had_class = false;
    bool had_ttl = false;
    while (!rest.empty()) {
        const std::string_view text = rest.front().text;
        const bool is_class = base::equal_ignoring_case(text, "IN");
        const bool is_ttl = read_number(text, std::numeric_limits<std::uint32_t>::max()).has_value();
        if ((!is_class && !is_ttl) || (is_class ? had_class : had_ttl)) {
            break;
        }
        (is_class ? had_class : had_ttl) = true;
        rest = rest.subspan(1);
    }
    return rest;
}

} // namespace

std::optional<problem> check_trust_anchor(std::string_view record)
{
    if (record.size() > record_octets_max) {
        return problem{"it is longer than 4096 octets", record_octets_max};
    }
    const auto unfit = std::find_if(record.begin(), record.end(), [](char c) {
        return (c < ' ' && c != '\t') || c == '\x7f' || c == '(' || c == ')' || c == ';' || c == '"';
    });
    if (unfit != record.end()) {
        return problem{"it must be one line, without parentheses, quotes and comments",
                       static_cast<std::size_t>(unfit - record.begin())};
    }
    const std::vector<word> all = split(record);
    if (all.empty()) {
        return problem{"it is empty", 0};
    }
    if (const auto owner = dns::name::parse(all.front().text); !owner) {
        return problem{owner.problem().what, all.front().at};
    }
    const words rest = after_class_and_ttl(words(all).subspan(1));
    if (!rest.empty() && base::equal_ignoring_case(rest.front().text, "DS")) {
        return check_ds(rest.subspan(1));
    }
    if (!rest.empty() && base::equal_ignoring_case(rest.front().text, "DNSKEY")) {
        return check_dnskey(rest.subspan(1));
    }
    return problem{"it is neither a DS nor a DNSKEY record", rest.empty() ? record.size() : rest.front().at};
}

} // namespace postrider::net
