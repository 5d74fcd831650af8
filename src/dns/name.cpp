// SPDX-License-Identifier: MIT
// dns/name: labels to and from text, and how two names compare.

#include "dns/name.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

namespace postrider::dns {
namespace {

constexpr std::size_t label_octets_max = 63;
constexpr std::size_t name_octets_max = 255;

// ASCII letters only: DNS knows no other case (RFC 4343).
int compare_labels(const std::string& a, const std::string& b) noexcept
{
    const std::size_t common = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < common; ++i) {
        const auto x = static_cast<unsigned char>(base::to_lower(a[i]));
        const auto y = static_cast<unsigned char>(base::to_lower(b[i]));
        if (x != y)
            return x < y ? -1 : 1;
    }
    if (a.size() == b.size())
        return 0;
    return a.size() < b.size() ? -1 : 1;
}

/// The octet behind the backslash at `at`; moves `at` to the last character of the escape.
std::optional<char> read_escape(std::string_view text, std::size_t& at)
{
    if (at + 1 >= text.size())
        return std::nullopt;
    if (!base::is_digit(text[at + 1]))
        return text[++at];
    if (at + 3 >= text.size() || !base::is_digit(text[at + 2]) || !base::is_digit(text[at + 3]))
        return std::nullopt;
    const int value = (text[at + 1] - '0') * 100 + (text[at + 2] - '0') * 10 + (text[at + 3] - '0');
    if (value > 255)
        return std::nullopt;
    at += 3;
    return static_cast<char>(static_cast<unsigned char>(value));
}

void append_escaped(std::string& out, const std::string& label)
{
    for (const char c : label) {
        const auto octet = static_cast<unsigned char>(c);
        if (c == '.' || c == '\\') {
            out += '\\';
            out += c;
        } else if (octet > 0x20 && octet < 0x7f) {
            out += c;
        } else {
            out += fmt::format("\\{:03}", octet);
        }
    }
}

} // namespace

result<name> name::parse(std::string_view text)
{
    if (text.empty())
        return problem{"a domain name is empty", 0};
    if (text == ".")
        return name{};

    std::vector<std::string> labels(1);
    for (std::size_t at = 0; at < text.size(); ++at) {
        char octet = text[at];
        if (octet == '.') {
            if (labels.back().empty())
                return problem{"a domain name has an empty label", at};
            if (at + 1 < text.size())
                labels.emplace_back();
            continue;
        }
        const std::size_t start = at;
        if (octet == '\\') {
            const auto meant = read_escape(text, at);
            if (!meant)
                return problem{
                    "a backslash in a domain name wants three digits up to 255, or one other character",
                    start};
            octet = *meant;
        }
        if (labels.back().size() == label_octets_max)
            return problem{"a label of a domain name is longer than 63 octets", start};
        labels.back() += octet;
    }
    return from_labels(std::move(labels));
}

result<name> name::from_labels(std::vector<std::string> labels)
{
    std::size_t octets = 1; // the root's own
    for (const auto& label : labels) {
        if (label.empty())
            return problem{"a domain name has an empty label"};
        if (label.size() > label_octets_max)
            return problem{"a label of a domain name is longer than 63 octets"};
        octets += 1 + label.size();
    }
    if (octets > name_octets_max)
        return problem{"a domain name is longer than 255 octets"};
    name made;
    made.labels_ = std::move(labels);
    return made;
}

std::string name::to_string() const
{
    if (labels_.empty())
        return ".";
    std::string text;
    for (const auto& label : labels_) {
        if (!text.empty())
            text += '.';
        append_escaped(text, label);
    }
    return text;
}

bool name::is_within(const name& ancestor) const noexcept
{
    if (ancestor.labels_.size() > labels_.size())
        return false;
    return std::equal(ancestor.labels_.rbegin(), ancestor.labels_.rend(), labels_.rbegin(),
                      [](const std::string& a, const std::string& b) { return compare_labels(a, b) == 0; });
}

bool operator==(const name& a, const name& b) noexcept
{
    return a.labels_.size() == b.labels_.size() && a.is_within(b);
}

// From the root downwards (RFC 4034 §6.1), so that in a map what lies below a name follows it.
bool operator<(const name& a, const name& b) noexcept
{
    auto x = a.labels_.rbegin();
    auto y = b.labels_.rbegin();
    for (; x != a.labels_.rend() && y != b.labels_.rend(); ++x, ++y) {
        const int order = compare_labels(*x, *y);
        if (order != 0)
            return order < 0;
    }
    return x == a.labels_.rend() && y != b.labels_.rend();
}

} // namespace postrider::dns
