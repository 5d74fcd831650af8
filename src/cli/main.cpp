// SPDX-License-Identifier: MIT
// cli/main: the program `postrider`: one command of several, and how a command line can be wrong.

#include "app/exit_status.hpp"
#include "app/help_text.hpp"
#include "app/options.hpp"
#include "app/standard_streams.hpp"
#include "cli/commands.hpp"
#include "postrider/version.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

namespace {

using namespace postrider::cli;
using namespace postrider::app;

int print(const std::string& text)
{
    const bool written = std::fputs(text.c_str(), stdout) != EOF && std::fflush(stdout) != EOF;
    return written ? exit_ok : exit_io;
}

} // namespace

int main(int argc, char** argv)
{
    if (!fill_standard_streams())
        return exit_os;
    // A reader of our output that goes away is an error of that write, not the end of a message's report.
    std::signal(SIGPIPE, SIG_IGN);

    CLI::App program("Brings mail to the server that should have it, and says truthfully what became of it.",
                     "postrider");
    program.formatter(std::make_shared<help_text>());
    program.set_help_flag("-h,--help", "say this");
    program.add_flag_callback(
        "--version", [] { throw CLI::CallForVersion("", 0); }, "say which version this is");
    program.require_subcommand(1);
    int status = exit_software;
    add_send_command(program, status);
    add_sandbox_command(program, status);
    program.footer("'postrider COMMAND --help' says more about a command.");
    const auto chosen = [&program] {
        const auto commands = program.get_subcommands();
        return commands.empty() ? nullptr : commands.front();
    };
    try {
        program.parse(words_of(argc, argv));
    } catch (const CLI::CallForHelp&) {
        return print(chosen() != nullptr ? chosen()->help("postrider") : program.help());
    } catch (const CLI::CallForVersion&) {
        return print(fmt::format("postrider {}\n", postrider::version));
    } catch (const CLI::ParseError& e) {
        const std::string command = chosen() != nullptr ? "postrider " + chosen()->get_name() : "postrider";
        fmt::print(stderr, "{}: {}\nTry '{} --help'.\n", command, sentence_for(e, program), command);
        return exit_usage;
    } catch (const std::exception& e) {
        fmt::print(stderr, "postrider: {}\n", e.what());
        return exit_software;
    }
    return status;
}
