// SPDX-License-Identifier: MIT
// conformance: every client transcript of this folder, played in every way (support/player).

#include "support/player.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace postrider::test {
namespace {

std::vector<std::filesystem::path> scripts()
{
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(POSTRIDER_SOURCE_DIR "/tests/conformance"))
        if (entry.path().extension() == ".transcript")
            found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

std::string name_of(const std::filesystem::path& path)
{
    std::string name = path.stem().string();
    std::replace_if(name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
    return name;
}

class conformance : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(conformance, holds_in_every_way)
{
    std::ifstream file(GetParam());
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    ASSERT_FALSE(text.empty());
    const transcript script = transcript::parse(text);
    EXPECT_FALSE(script.title.empty()) << "the first line says which section and what behaviour";
    EXPECT_FALSE(script.outcomes.empty() && !script.failure) << "a script without an outcome proves nothing";
    for (const std::string& complaint : check(script))
        ADD_FAILURE() << complaint;
}

INSTANTIATE_TEST_SUITE_P(rfc, conformance, testing::ValuesIn(scripts()),
                         [](const auto& script) { return name_of(script.param); });

} // namespace
} // namespace postrider::test
