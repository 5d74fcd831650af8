// SPDX-License-Identifier: MIT
#pragma once
// app/surroundings: the root and the directory that a process works in.

#include <optional>
#include <string>

namespace postrider::app {

/// How the file at `path` is called by a process whose root is `root`; nothing if it lies outside.
/// Symbolic links are followed. Both exist, the file itself need not.
std::optional<std::string> path_inside(const std::string& root, const std::string& path);

/// Changes the root, if one is given, and then the directory: inside the new root, "/" if none is given.
/// Throws run_failure, 71.
void enter(const std::string& root, const std::string& directory);

} // namespace postrider::app
