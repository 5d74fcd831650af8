// SPDX-License-Identifier: MIT
// app/class_name: the last component of a demangled name.

#include "app/class_name.hpp"

#include "app/type_name.hpp"

#include <cstddef>
#include <string_view>

namespace postrider::app {
namespace {

// Where the last component begins. From the end, because what stands in brackets before it (arguments
// of a function that the class is local to) may have colons of its own.
std::size_t last_component(std::string_view name)
{
    int depth = 0;
    for (std::size_t i = name.size(); i > 1; --i) {
        const char c = name[i - 1];
        if (c == '>' || c == ')' || c == ']' || c == '}')
            ++depth;
        else if (c == '<' || c == '(' || c == '[' || c == '{')
            --depth;
        else if (depth == 0 && c == ':' && name[i - 2] == ':')
            return i;
    }
    return 0;
}

} // namespace

std::string class_name(const std::type_info& type)
{
    const std::string whole = type_name(type);
    std::string_view last = std::string_view(whole).substr(last_component(whole));
    if (last.starts_with("{lambda"))
        return "lambda";
    if (last.starts_with("{unnamed") || last.starts_with('$')) // clang calls closures so too
        return "unnamed";
    last = last.substr(0, last.find_first_of("<["));
    return last.empty() ? whole : std::string(last);
}

} // namespace postrider::app
