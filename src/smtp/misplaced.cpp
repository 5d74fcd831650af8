// SPDX-License-Identifier: MIT
// smtp/misplaced: the problem with a character that may not stand where it stands.

#include "smtp/misplaced.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <string>

namespace postrider::smtp {

namespace {

std::string name_of_first(std::string_view text)
{
    switch (text.front()) {
    case ' ': return "a space";
    case '\t': return "a tab";
    case '\r': return "a carriage return";
    case '\n': return "a line feed";
    case '\0': return "a NUL";
    case '@': return "an @";
    case '.': return "a dot";
    case '-': return "a hyphen";
    case '"': return "a quote";
    case '\\': return "a backslash";
    default: break;
    }
    const auto first = base::first_code_point(text);
    if (!first)
        return fmt::format("an octet that is not UTF-8 ({})", base::escaped(text.substr(0, 1)));
    const auto shown = base::escaped(text.substr(0, first->size));
    if (first->value < 0x20 || (first->value >= 0x7f && first->value <= 0x9f))
        return fmt::format("a control character ({})", shown);
    return fmt::format("'{}'", shown);
}

} // namespace

problem misplaced(std::string_view text, std::size_t at, std::string_view advice, std::size_t offset)
{
    const auto where = offset + at;
    return {fmt::format("{} at octet {}: {}", name_of_first(text.substr(at)), where, advice), where};
}

} // namespace postrider::smtp
