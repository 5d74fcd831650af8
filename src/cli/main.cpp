// SPDX-License-Identifier: MIT
// cli/main: the program `postrider`: one command of several, and how a command line can be wrong.

#include "cli/commands.hpp"
#include "cli/exit_status.hpp"
#include "postrider/version.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>

int main(int argc, char** argv)
{
    using namespace postrider::cli;
    // A reader of our output that goes away is an error of that write, not the end of a message's report.
    std::signal(SIGPIPE, SIG_IGN);

    CLI::App program("Brings mail to the server that should have it, and says truthfully what became of it.", "postrider");
    program.set_version_flag("--version", fmt::format("postrider {}", postrider::version));
    program.require_subcommand(1);
    program.get_formatter()->column_width(28);
    int status = exit_software;
    add_send_command(program, status);
    add_sandbox_command(program, status);
    try {
        program.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        const auto chosen = program.get_subcommands();
        fmt::print("{}", chosen.empty() ? program.help() : chosen.front()->help());
        return exit_ok;
    } catch (const CLI::CallForVersion&) {
        fmt::print("postrider {}\n", postrider::version);
        return exit_ok;
    } catch (const CLI::ParseError& e) {
        const auto chosen = program.get_subcommands();
        const std::string command = chosen.empty() ? "postrider" : "postrider " + chosen.front()->get_name();
        fmt::print(stderr, "{}: {}\nTry '{} --help'.\n", command, e.what(), command);
        return exit_usage;
    } catch (const std::exception& e) {
        fmt::print(stderr, "postrider: {}\n", e.what());
        return exit_software;
    }
    return status;
}
