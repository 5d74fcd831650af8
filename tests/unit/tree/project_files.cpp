// SPDX-License-Identifier: MIT
// tree/project_files: one walk over POSTRIDER_SOURCE_DIR.

#include "unit/tree/project_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace postrider::tree {

namespace {

namespace fs = std::filesystem;

bool is_left_out(const fs::path& folder)
{
    constexpr std::array names{".git", ".cache", "build", "corpus", "node_modules", "__pycache__"};
    return std::find(names.begin(), names.end(), folder.filename()) != names.end();
}

bool is_text(const fs::path& file)
{
    constexpr std::array extensions{".cpp", ".hpp", ".cmake", ".md",   ".json", ".sh", ".py",
                                    ".yml", ".ts",  ".css",   ".html", ".in",   ".scd"};
    const auto extension = file.extension();
    if (std::find(extensions.begin(), extensions.end(), extension) != extensions.end())
        return true;
    const auto name = file.filename();
    return name == "CMakeLists.txt" || name == "dev" || name == "LICENSE" ||
           (extension.empty() && (file.parent_path().filename() == "tools" || name == "run"));
}

std::string read(const fs::path& file)
{
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace

files project_files()
{
    const fs::path top = POSTRIDER_SOURCE_DIR;
    files all;
    for (auto entry = fs::recursive_directory_iterator(top); entry != fs::recursive_directory_iterator();
         ++entry) {
        if (entry->is_directory() && is_left_out(entry->path()))
            entry.disable_recursion_pending();
        else if (entry->is_regular_file() && is_text(entry->path()))
            all.emplace(entry->path().lexically_relative(top).generic_string(), read(entry->path()));
    }
    return all;
}

} // namespace postrider::tree
