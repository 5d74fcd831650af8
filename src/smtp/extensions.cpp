// SPDX-License-Identifier: MIT
// smtp/extensions: the reply to EHLO as a value: what this server, on this connection, offers.

#include "smtp/extensions.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <utility>

namespace postrider::smtp {

namespace {

// Takes the next word off `text`; nothing when no more follow. CR counts as a blank: some servers
// end their lines with two of them.
std::string_view take_word(std::string_view& text) noexcept
{
    constexpr std::string_view blanks = " \t\r";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    const auto word = text.substr(0, text.find_first_of(blanks));
    text.remove_prefix(word.size());
    return word;
}

// A line "KEYWORD parameter parameter", or, as old Exchange had it for AUTH, "KEYWORD=parameter".
extension parse_line(std::string_view line)
{
    const auto first = take_word(line);
    const auto equals = first.find('=');
    extension parsed{base::upper(first.substr(0, equals)), {}};
    if (equals != std::string_view::npos && equals + 1 < first.size())
        parsed.parameters.emplace_back(first.substr(equals + 1));
    for (auto word = take_word(line); !word.empty(); word = take_word(line))
        parsed.parameters.emplace_back(word);
    return parsed;
}

std::uint64_t saturating_number(std::string_view digits) noexcept
{
    constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t value = 0;
    for (const char c : digits) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (largest - digit) / 10)
            return largest;
        value = value * 10 + digit;
    }
    return value;
}

// sasl-mech of RFC 4422 §3.1, in any case.
bool is_mechanism_name(std::string_view name) noexcept
{
    const auto fits = [](char c) { return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '_'; };
    return !name.empty() && name.size() <= 20 && std::all_of(name.begin(), name.end(), fits);
}

} // namespace

extensions extensions::from_reply(const reply& ehlo)
{
    extensions offered;
    if (!ehlo.positive())
        return offered;
    for (std::size_t i = 1; i < ehlo.lines().size(); ++i) {
        auto parsed = parse_line(ehlo.lines()[i]);
        if (parsed.keyword.empty())
            continue;
        const auto same = [&](const extension& e) { return e.keyword == parsed.keyword; };
        const auto known = std::find_if(offered.all_.begin(), offered.all_.end(), same);
        if (known == offered.all_.end())
            offered.all_.push_back(std::move(parsed));
        else
            std::move(parsed.parameters.begin(), parsed.parameters.end(),
                      std::back_inserter(known->parameters));
    }
    return offered;
}

bool extensions::offers(std::string_view keyword) const noexcept { return find(keyword) != nullptr; }

const extension* extensions::find(std::string_view keyword) const noexcept
{
    const auto same = [keyword](const extension& e) { return base::equal_ignoring_case(e.keyword, keyword); };
    const auto found = std::find_if(all_.begin(), all_.end(), same);
    return found == all_.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> extensions::size_max() const noexcept
{
    const auto* size = find("SIZE");
    if (size == nullptr || size->parameters.empty())
        return std::nullopt;
    const auto& number = size->parameters.front();
    if (!std::all_of(number.begin(), number.end(), base::is_digit))
        return std::nullopt;
    const auto octets = saturating_number(number);
    return octets == 0 ? std::nullopt : std::optional(octets);
}

std::vector<std::string> extensions::auth_mechanisms() const
{
    std::vector<std::string> mechanisms;
    const auto* auth = find("AUTH");
    if (auth == nullptr)
        return mechanisms;
    std::set<std::string> seen; // a hostile reply has room for thousands of names
    for (const auto& parameter : auth->parameters) {
        if (!is_mechanism_name(parameter))
            continue;
        if (auto name = base::upper(parameter); seen.insert(name).second)
            mechanisms.push_back(std::move(name));
    }
    return mechanisms;
}

} // namespace postrider::smtp
