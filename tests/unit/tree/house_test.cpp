// SPDX-License-Identifier: MIT
// tree/house_test: this tree's files keep the house rules, and each rule finds what breaks it.

#include "unit/tree/house_rules.hpp"
#include "unit/tree/project_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace postrider::tree {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(house, rules_are_kept_by_this_tree)
{
    for (const auto& f : broken_house_rules(project_files()))
        ADD_FAILURE() << f;
}

std::vector<std::string> in(const std::string& path, const std::string& text)
{
    std::vector<std::string> said;
    for (const auto& f : broken_house_rules({{path, text}}))
        said.push_back(std::to_string(f.line) + ": " + f.rule);
    return said;
}

const std::string licence = "// SPDX-License-Identifier: MIT\n";

TEST(house, rules_let_a_tidy_file_pass)
{
    EXPECT_THAT(in("src/smtp/reply.cpp", licence + "// smtp/reply: what a server said.\n\nint x;\n"),
                IsEmpty());
    EXPECT_THAT(in("src/smtp/reply.hpp", licence + "#pragma once\n// smtp/reply: what a server said.\n"),
                IsEmpty());
    EXPECT_THAT(in("tests/fuzz/reply_fuzz.cpp", licence + "// fuzz/reply (smtp): splits agree.\n"),
                IsEmpty());
    EXPECT_THAT(in("docs/a.md", "# A\n\ntext\n"), IsEmpty());
}

TEST(house, rules_find_blanks_and_machine_paths)
{
    EXPECT_THAT(in("docs/a.md", "a\n\tb\n"), ElementsAre("2: no tabs"));
    EXPECT_THAT(in("docs/a.md", "a \n"), ElementsAre(HasSubstr("1: no blanks")));
    EXPECT_THAT(in("docs/a.md", "a\r\n"), ElementsAre(HasSubstr("1: no blanks")));
    EXPECT_THAT(in("docs/a.md", std::string("see /wo") + "rk/x\n"),
                ElementsAre(HasSubstr("somebody's machine")));
}

TEST(house, rules_want_a_licence_and_a_head)
{
    EXPECT_THAT(in("src/smtp/x.cpp", "// smtp/x: x\n"),
                ElementsAre(HasSubstr("1: a source begins"), HasSubstr("2: a head: // smtp/x")));
    EXPECT_THAT(in("src/smtp/x.cpp", licence + "int x;\n"), ElementsAre(HasSubstr("2: a head: // smtp/x")));
    EXPECT_THAT(in("src/smtp/x.cpp", licence + "// smtp/y: another noun\n"),
                ElementsAre(HasSubstr("2: a head")));
    EXPECT_THAT(in("src/smtp/x.hpp", licence + "// smtp/x: x\n#pragma once\n"),
                ElementsAre(HasSubstr("2: a header's second line"), HasSubstr("3: a head")));
    EXPECT_THAT(in("tests/unit/smtp/x_test.cpp", licence + "// tests\n"),
                ElementsAre(HasSubstr("folder/noun")));
}

} // namespace
} // namespace postrider::tree
