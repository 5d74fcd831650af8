// SPDX-License-Identifier: MIT
// cli/main: the program `postrider`: one command of several, and how a command line can be wrong.

#include "cli/commands.hpp"
#include "cli/exit_status.hpp"
#include "cli/help_text.hpp"
#include "postrider/version.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>

namespace {

using namespace postrider::cli;

int print(const std::string& text)
{
    const bool written = std::fputs(text.c_str(), stdout) != EOF && std::fflush(stdout) != EOF;
    return written ? exit_ok : exit_io;
}

// Where one of the three standard streams is closed, the next thing opened would take its number: a report
// would be written into the connection to a server. What is put there fails to be read or written instead.
void fill_standard_streams()
{
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(stream, F_GETFD) < 0 &&
            ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            std::_Exit(exit_os);
}

} // namespace

int main(int argc, char** argv)
{
    fill_standard_streams();
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
        program.parse(argc, argv);
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
