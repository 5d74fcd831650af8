// SPDX-License-Identifier: MIT
// fuzz/address (smtp): what is read is printed within the limits, reads back the same, and is one line
//
// The text is read as an address and as a domain. Whatever is refused has a problem that may be
// shown and points into the text.

#include "base/text.hpp"
#include "postrider/address.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace postrider;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

bool has_control(const std::string& text)
{
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            return true;
    }
    return false;
}

void check_problem(const problem& p, std::size_t size)
{
    require(!p.what.empty() && p.what.size() < 1000);
    require(!has_control(p.what) && base::is_utf8(p.what));
    require(p.at <= size);
}

void check_address(const address& a)
{
    for (const bool utf8 : {false, true}) {
        const auto printed = a.to_string(utf8);
        require(printed.size() <= 254 && !has_control(printed) && base::is_utf8(printed));
        const auto again = address::parse(printed);
        require(again && *again == a && again->to_string(utf8) == printed);
    }
    require(!base::has_eight_bit(a.ascii_domain()) && !a.domain().empty());
    require(a.needs_smtputf8() || !base::has_eight_bit(a.to_string()));
    require(parse_domain(a.domain()) && *parse_domain(a.domain()) == a.ascii_domain());
}

void check_domain(const std::string& ascii)
{
    require(!ascii.empty() && ascii.size() <= 255);
    require(!base::has_eight_bit(ascii) && !has_control(ascii));
    require(ascii.find(' ') == std::string::npos);
    require(ascii.front() == '[' || ascii.find_first_of("@<>:\"\\,;()") == std::string::npos);
    const auto again = parse_domain(ascii);
    require(again && *again == ascii);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto a = address::parse(text))
        check_address(*a);
    else
        check_problem(a.problem(), size);
    if (const auto domain = parse_domain(text))
        check_domain(*domain);
    else
        check_problem(domain.problem(), size);
    return 0;
}
