// SPDX-License-Identifier: MIT
// fuzz/reply (smtp): any split of any octets gives the same replies, within the bounds, fit to show
//
// The first octet seeds the split. What a server says is read once whole and once in pieces; both
// must agree in every reply, in the failure and its words, and in what is left unfinished.

#include "smtp/reply_parser.hpp"

#include "base/text.hpp"

#include <cstdint>
#include <cstdlib>

using namespace postrider;
using namespace postrider::smtp;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

bool is_one_line_of_utf8(const std::string& text)
{
    return text.find_first_of("\r\n") == std::string::npos && base::is_utf8(text);
}

void check_reply(const reply& r)
{
    require(r.code() >= 200 && r.code() <= 599);
    require(!r.lines().empty() && r.lines().size() <= reply_parser::lines_max);
    std::size_t octets = 0;
    for (const auto& line : r.lines()) {
        require(line.find('\n') == std::string::npos && line.find('\0') == std::string::npos);
        require(line.size() < reply_parser::line_octets_max);
        octets += line.size();
    }
    require(octets < reply_parser::reply_octets_max);
    require(!r.enhanced() || r.enhanced()->status == r.code() / 100);
    require(!r.enhanced() || r.lines().front().starts_with(r.enhanced()->to_string()));
    const auto shown = r.to_string(100);
    require(shown.size() <= 100 && is_one_line_of_utf8(shown));
}

struct outcome {
    std::vector<reply> replies;
    std::string why;
    std::string held;
    bool in_the_middle = false;

    bool operator==(const outcome&) const = default;
};

// Gives `octets` in pieces of sizes that `seed` decides; 0 gives them whole.
outcome read(std::string_view octets, std::uint32_t seed)
{
    reply_parser parser;
    outcome o;
    while (!octets.empty()) {
        seed = seed * 1664525u + (seed == 0 ? 0u : 1013904223u);
        const std::size_t size = seed == 0 ? octets.size() : 1 + (seed >> 24) % 9;
        auto input = octets.substr(0, size);
        octets.remove_prefix(input.size());
        while (!input.empty()) {
            const auto status = parser.read(input);
            if (status == reply_parser::status::complete)
                o.replies.push_back(parser.take());
            else
                require(status == reply_parser::status::broken || input.empty());
            if (status != reply_parser::status::broken)
                continue;
            o.why = parser.why();
            return o;
        }
    }
    o.held = parser.held();
    o.in_the_middle = parser.in_the_middle();
    return o;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const std::string_view octets(reinterpret_cast<const char*>(data + 1), size - 1);
    const auto whole = read(octets, 0);
    require(read(octets, data[0] + 1u) == whole);
    require(is_one_line_of_utf8(whole.why) && whole.why.size() < 400);
    for (const auto& r : whole.replies)
        check_reply(r);
    return 0;
}
