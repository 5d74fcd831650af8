// SPDX-License-Identifier: MIT
#pragma once
// tree/source_text: a C++ source as far as the rules of the tree need to understand it.
//
// What it includes, and the words of its code, each with its line. Comments and the insides of
// literals are gone, lines continued by a backslash are one, so a rule sees what the compiler sees.
// Macros are not expanded and conditions are not judged: what stands there counts.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::tree {

struct include_line {
    std::size_t line;
    std::string name; ///< between the quotes or angles; empty if a macro stands there
};

/// An identifier, a number, "::", "->", or one character of punctuation. A literal is "\"".
struct word {
    std::size_t line;
    std::string text;
};

struct source_text {
    std::vector<include_line> includes;
    std::vector<word> words;
};

source_text read_source(std::string_view text);

} // namespace postrider::tree
