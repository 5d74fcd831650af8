// SPDX-License-Identifier: MIT
#pragma once
// cli/commands: the commands of the program, one file each.
//
// Each puts itself on the parser as a subcommand and, when it was chosen and its options could be
// read, runs from the parser's callback and leaves its exit status (cli/exit_status) in `status`.

namespace CLI {
class App;
}

namespace postrider::cli {

void add_send_command(CLI::App& app, int& status);
void add_sandbox_command(CLI::App& app, int& status);

} // namespace postrider::cli
