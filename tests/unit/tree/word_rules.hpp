// SPDX-License-Identifier: MIT
#pragma once
// tree/word_rules: one word for a thing, as docs/reference/words.md says it.

#include "unit/tree/finding.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace postrider::tree {

/// A row of the list.
struct listed_word {
    std::string name;
    std::vector<std::string> synonyms; ///< forbidden, in lower case
};

/// The rows of the tables in `page` whose last column names synonyms in backquotes.
std::vector<listed_word> parse_words(std::string_view page);

/// Each place where a synonym stands for its word. The page itself, and the tests of the page, are
/// left out by the caller.
std::vector<finding> forbidden_words(const files& tree, const std::vector<listed_word>& words);

} // namespace postrider::tree
