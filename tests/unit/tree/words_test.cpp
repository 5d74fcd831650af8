// SPDX-License-Identifier: MIT
// tree/words_test: nothing in this tree has a second name, and the search finds one that had.

#include "unit/tree/project_files.hpp"
#include "unit/tree/word_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::tree {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* page = "docs/reference/words.md";

TEST(words, have_one_name_in_this_tree)
{
    files tree = project_files();
    ASSERT_TRUE(tree.contains(page));
    const auto words = parse_words(tree.at(page));
    EXPECT_GT(words.size(), 25u) << "the page was not read";
    tree.erase(page);
    tree.erase("tests/unit/tree/words_test.cpp"); // writes them down to be found
    tree.erase("tests/unit/tree/word_rules.cpp");
    for (const auto& f : forbidden_words(tree, words))
        ADD_FAILURE() << f;
}

const std::string list = "# Words\n\n| word | means | not |\n| --- | --- | --- |\n"
                         "| reverse-path | `<>` or an address | `return-path`, `bounce address` |\n"
                         "| enhanced status code | 5.1.1 | `status code` |\n"
                         "| phase | where | |\n";

std::vector<std::string> in(const std::string& text)
{
    std::vector<std::string> said;
    for (const auto& f : forbidden_words({{"a.cpp", text}}, parse_words(list)))
        said.push_back(std::to_string(f.line) + ": " + f.rule);
    return said;
}

TEST(words, are_read_from_the_tables)
{
    const auto words = parse_words(list);
    ASSERT_EQ(words.size(), 2u);
    EXPECT_EQ(words[0].name, "reverse-path");
    EXPECT_THAT(words[0].synonyms, ElementsAre("return-path", "bounce address"));
}

TEST(words, are_found_in_any_case_and_in_identifiers)
{
    EXPECT_THAT(in("ok\nthe Bounce Address\n"),
                ElementsAre("2: \"bounce address\": the word is \"reverse-path\""));
    EXPECT_THAT(in("int bounce_address;"), testing::SizeIs(1));
    EXPECT_THAT(in("a Return-Path of"), testing::SizeIs(1));
    EXPECT_THAT(in("the status code, an enhanced status code"), testing::SizeIs(1));
}

TEST(words, are_left_alone_where_they_are_something_else)
{
    EXPECT_THAT(in("the reverse-path\n"), IsEmpty());
    EXPECT_THAT(in("Return-Path: <ann@a.example>"), IsEmpty()); // a header field
    EXPECT_THAT(in("the enhanced status code 5.1.1, enhanced_status_code"), IsEmpty());
    EXPECT_THAT(in("trampoline return-paths"), IsEmpty());
}

} // namespace
} // namespace postrider::tree
