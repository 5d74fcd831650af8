// SPDX-License-Identifier: MIT
#pragma once
// app/options: the command line of a program that runs an application.

#include "postrider/app/run.hpp"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace postrider::app {

/// Puts the options of the runner on a parser, which sets `options` as it reads. A program that stays in
/// the foreground by itself gets --daemon instead of --nodaemon.
void add_run_options(CLI::App& parser, run_options& options, bool foreground_by_default);

/// The words of a command line, the last first, as CLI11 wants them. It takes the empty value of
/// "--pidfile=" for none, and the next word for the value: here that is a word of its own.
std::vector<std::string> words_of(int argc, const char* const* argv);

/// The name in argv[0], without its folder.
std::string program_name(int argc, const char* const* argv);

/// Reads the command line of a program that has no options of its own. An exit status: there is nothing
/// to run, because help or version was asked for and said, or the command line is wrong.
std::optional<int> read_command_line(const std::string& application, run_options& options, int argc,
                                     const char* const* argv);

} // namespace postrider::app
