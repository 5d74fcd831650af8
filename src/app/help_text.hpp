// SPDX-License-Identifier: MIT
#pragma once
// app/help_text: what the program says about its command line: its help, and what is wrong with one.
//
// CLI11 reads the command line; how that is explained to people is ours: a usage line that can be
// typed, no names of C++ types, and a sentence that names the word it is about. What was typed is
// shown escaped.

#include <CLI/CLI.hpp>

#include <string>

namespace postrider::app {

/// Lays out "--help": usage, the description, the arguments and options, and the footer.
class help_text final : public CLI::Formatter {
public:
    help_text();

    std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
    std::string make_subcommand(const CLI::App* sub) const override;
    std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
    std::string make_option_opts(const CLI::Option* option) const override;
    std::string make_option_usage(const CLI::Option* option) const override;
};

/// What is wrong with a command line, one sentence without its final dot.
std::string sentence_for(const CLI::ParseError& wrong, const CLI::App& program);

/// A check for options: a whole number of that range. `what` says it in words: "a port".
CLI::Validator whole_number(std::string what, unsigned least, unsigned most);

} // namespace postrider::app
