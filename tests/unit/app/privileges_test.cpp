// SPDX-License-Identifier: MIT
// app/privileges_test: accounts that every system has. Becoming one is for tests/e2e/runner_test.py.

#include "app/privileges.hpp"

#include "app/run_failure.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

namespace postrider::app {
namespace {

std::string refusal(const std::string& user, const std::string& group)
{
    try {
        find_identity(user, group);
    } catch (const run_failure& f) {
        EXPECT_EQ(f.status(), exit_usage);
        return f.what();
    }
    return "found";
}

TEST(find_identity, has_nothing_to_find_where_nothing_is_said) { EXPECT_FALSE(find_identity("", "")); }

TEST(find_identity, knows_users_by_name_and_number_with_their_group)
{
    for (const char* user : {"root", "0"}) {
        const auto found = find_identity(user, "");
        ASSERT_TRUE(found) << user;
        EXPECT_EQ(found->user, 0u);
        EXPECT_EQ(found->group, 0u);
        EXPECT_EQ(found->name, "the user root");
        EXPECT_FALSE(found->groups.empty());
    }
}

TEST(find_identity, takes_the_group_that_is_given)
{
    const auto found = find_identity("root", "12345");
    EXPECT_EQ(found->group, 12345u);
    EXPECT_EQ(found->groups.front(), 12345u) << "the first group of a login is its own";
}

TEST(find_identity, changes_only_the_group_where_no_user_is_named)
{
    const auto found = find_identity("", "root");
    EXPECT_EQ(found->user, ::geteuid());
    EXPECT_EQ(found->group, 0u);
    EXPECT_EQ(found->groups, std::vector<gid_t>{0});
}

TEST(find_identity, takes_a_number_without_a_name_together_with_a_group)
{
    const auto found = find_identity("3999999999", "77");
    EXPECT_EQ(found->user, 3999999999u);
    EXPECT_EQ(found->groups, std::vector<gid_t>{77});
    EXPECT_EQ(refusal("3999999999", ""), "the user 3999999999 has no name and so no group: which one?");
}

TEST(find_identity, says_who_is_unknown)
{
    EXPECT_EQ(refusal("nobody\x1b here", ""), "there is no user 'nobody\\x1b here'");
    EXPECT_EQ(refusal("root", "no such group"), "there is no group 'no such group'");
    EXPECT_EQ(refusal("-1", ""), "there is no user '-1'");
    EXPECT_EQ(refusal("4294967295", "0"), "there is no user '4294967295'")
        << "to setresuid(2) it means: stay";
}

// In a process of its own, since there is no way back.
void become_whom_one_is_already()
{
    identity self{};
    self.user = ::geteuid() == 0 ? 65534 : ::geteuid();
    self.group = ::geteuid() == 0 ? 65534 : ::getegid();
    self.groups = {self.group};
    self.name = "myself";
    if (::geteuid() == 0)
        become(self, false);
    become(self, false);
    ::_exit(::geteuid() == self.user ? 0 : 1);
}

TEST(become, needs_no_privilege_for_who_one_is_already)
{
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(become_whom_one_is_already(), testing::ExitedWithCode(0), "");
}

} // namespace
} // namespace postrider::app
