// SPDX-License-Identifier: MIT
// app/surroundings: chroot(2) and chdir(2), and what must be read before.

#include "app/surroundings.hpp"

#include "app/run_failure.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <system_error>

namespace postrider::app {
namespace {

void change_directory(const std::string& to)
{
    if (::chdir(to.c_str()) != 0)
        throw refusal_of_the_system(exit_os, fmt::format("cannot change to {}", base::escaped(to)), errno);
}

} // namespace

std::optional<std::string> path_inside(const std::string& root, const std::string& path)
{
    std::error_code failed, failed_too;
    const auto top = std::filesystem::canonical(root, failed);
    const auto file = std::filesystem::weakly_canonical(path, failed_too);
    if (failed || failed_too)
        return std::nullopt;
    const auto inside = file.lexically_relative(top);
    if (inside.empty() || inside == "." || *inside.begin() == "..")
        return std::nullopt;
    return "/" + inside.string();
}

void enter(const std::string& root, const std::string& directory)
{
    if (!root.empty()) {
        ::tzset(); // the time zone's file lies outside
        if (::chroot(root.c_str()) != 0)
            throw refusal_of_the_system(exit_os, fmt::format("cannot make {} the root", base::escaped(root)),
                                        errno);
        change_directory("/"); // until then we stand outside, and so would any relative path
    }
    if (!directory.empty())
        change_directory(directory);
}

} // namespace postrider::app
