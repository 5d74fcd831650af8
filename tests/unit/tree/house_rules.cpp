// SPDX-License-Identifier: MIT
// tree/house_rules: read line by line.

#include "unit/tree/house_rules.hpp"

#include <array>
#include <string_view>

namespace postrider::tree {

namespace {

constexpr std::string_view licence = "// SPDX-License-Identifier: MIT";

// In two pieces, so that this file keeps its own rule.
constexpr std::array machine_paths{"/wo"
                                   "rk/",
                                   "/fa"
                                   "rm/",
                                   "/ho"
                                   "me/",
                                   "/Us"
                                   "ers/"};

std::vector<std::string_view> lines_of(std::string_view text)
{
    std::vector<std::string_view> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

/// "src/smtp/reply.cpp" is smtp/reply, and so is a public header of the layer smtp; empty where the
/// path does not say it.
std::string noun_of(std::string_view path)
{
    if (!path.starts_with("src/"))
        return {};
    path.remove_prefix(4);
    return std::string(path.substr(0, path.rfind('.')));
}

/// A head is "// folder/noun: sentence". In src/ the path tells the noun; elsewhere it is free.
bool is_head(std::string_view line, std::string_view path)
{
    const auto colon = line.find(": ");
    if (!line.starts_with("// ") || colon == std::string_view::npos)
        return false;
    const auto named = line.substr(3, colon - 3);
    if (const auto noun = noun_of(path); !noun.empty())
        return named == noun;
    return !named.empty() && named.find(". ") == std::string_view::npos;
}

void check_lines(const std::string& path, const std::vector<std::string_view>& lines,
                 std::vector<finding>& found)
{
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto line = lines[i];
        if (line.find('\t') != std::string_view::npos)
            found.push_back({path, i + 1, "no tabs"});
        if (!line.empty() && (line.back() == ' ' || line.back() == '\r'))
            found.push_back({path, i + 1, "no blanks at the end of a line"});
        for (const std::string_view word : machine_paths)
            if (line.find(word) != std::string_view::npos)
                found.push_back({path, i + 1, "no path of somebody's machine: " + std::string(word)});
    }
}

void check_head(const std::string& path, const std::vector<std::string_view>& lines,
                std::vector<finding>& found)
{
    if (lines.empty() || lines[0] != licence)
        found.push_back({path, 1, "a source begins with " + std::string(licence)});
    const bool header = path.ends_with(".hpp");
    if (header && (lines.size() < 2 || lines[1] != "#pragma once"))
        found.push_back({path, 2, "a header's second line is #pragma once"});
    const std::size_t head = header ? 2 : 1;
    if (lines.size() <= head || !is_head(lines[head], path)) {
        const auto noun = noun_of(path);
        found.push_back(
            {path, head + 1, "a head: // " + (noun.empty() ? "folder/noun" : noun) + ": what it is"});
    }
}

} // namespace

std::vector<finding> broken_house_rules(const files& tree)
{
    std::vector<finding> found;
    for (const auto& [path, text] : tree) {
        const auto lines = lines_of(text);
        check_lines(path, lines, found);
        if (path.ends_with(".cpp") || path.ends_with(".hpp"))
            check_head(path, lines, found);
    }
    return found;
}

} // namespace postrider::tree
