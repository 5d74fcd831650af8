// SPDX-License-Identifier: MIT
// app/surroundings_test: names of files from inside a root.

#include "app/surroundings.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace postrider::app {
namespace {

class surroundings_test : public testing::Test {
protected:
    surroundings_test()
    {
        std::string name = testing::TempDir() + "postrider-root-XXXXXX";
        top_ = ::mkdtemp(name.data());
        std::filesystem::create_directories(top_ / "jail/log");
        std::filesystem::create_directories(top_ / "jailor");
        std::filesystem::create_symlink(top_ / "jail", top_ / "link");
        std::filesystem::create_symlink(top_ / "jailor", top_ / "jail/out");
    }
    ~surroundings_test() override { std::filesystem::remove_all(top_); }

    std::optional<std::string> inside(const char* root, const char* path) const
    {
        return path_inside((top_ / root).string(), (top_ / path).string());
    }

    std::filesystem::path top_;
};

TEST_F(surroundings_test, a_file_inside_is_called_from_there)
{
    EXPECT_EQ(inside("jail", "jail/x.pid"), "/x.pid");
    EXPECT_EQ(inside("jail", "jail/log/x.log"), "/log/x.log");
    EXPECT_EQ(inside("jail", "jailor/../jail/x.log"), "/x.log");
}

TEST_F(surroundings_test, symbolic_links_are_followed)
{
    EXPECT_EQ(inside("link", "jail/x.pid"), "/x.pid");
    EXPECT_EQ(inside("jail", "link/log/x.log"), "/log/x.log");
    EXPECT_EQ(inside("jail", "jail/out/x.log"), std::nullopt) << "it leads out";
}

TEST_F(surroundings_test, what_lies_outside_has_no_name_there)
{
    EXPECT_EQ(inside("jail", "x.pid"), std::nullopt);
    EXPECT_EQ(inside("jail", "jailor/x.pid"), std::nullopt) << "only the names begin alike";
    EXPECT_EQ(inside("jail", "jail"), std::nullopt);
    EXPECT_EQ(inside("nowhere", "jail/x.pid"), std::nullopt);
}

} // namespace
} // namespace postrider::app
