// SPDX-License-Identifier: MIT
// app/options: twistd's letters where they exist, each explained in a line.

#include "app/options.hpp"

#include "app/exit_status.hpp"
#include "app/help_text.hpp"
#include "base/text.hpp"
#include "postrider/version.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace postrider::app {
namespace {

constexpr std::string_view footer =
    "SIGINT (Ctrl-C) and SIGTERM stop it in order, a second one at once. SIGHUP opens the log\n"
    "file anew, SIGUSR1 rotates it.\n";

constexpr log_level levels[] = {log_level::debug, log_level::info, log_level::warning, log_level::error};

std::string shown(const std::string& text) { return base::escaped(text, 256); }

log_level level_named(const std::string& name)
{
    for (const log_level level : levels)
        if (to_string(level) == name)
            return level;
    throw CLI::ValidationError("--log-level",
                               fmt::format("'{}' is not debug, info, warning or error", shown(name)));
}

bool is_json(const std::string& format)
{
    if (format != "text" && format != "json")
        throw CLI::ValidationError("--log-format", fmt::format("'{}' is not text or json", shown(format)));
    return format == "json";
}

mode_t umask_in(const std::string& text)
{
    unsigned mask = 0;
    const char* const end = text.data() + text.size();
    const auto [last, failed] = std::from_chars(text.data(), end, mask, 8);
    if (failed != std::errc() || last != end || mask > 0777)
        throw CLI::ValidationError("--umask",
                                   fmt::format("'{}' is not an octal number from 0 to 777", shown(text)));
    return mask;
}

int print(const std::string& text)
{
    const bool written = std::fputs(text.c_str(), stdout) != EOF && std::fflush(stdout) != EOF;
    return written ? exit_ok : exit_io;
}

/// The options one after the other, each a line of the help. What it leaves in the parser outlives it.
class option_list {
public:
    option_list(CLI::App& parser, run_options& options, const char* group)
        : parser_(parser), options_(options), group_(group)
    {
    }

    void add_log()
    {
        CLI::Option* const file =
            text("-l,--logfile", options_.log_file, "FILE",
                 fmt::format("write the log there; '-' is standard output. Otherwise\n{} in the foreground, "
                             "and PROGRAM.log for a daemon",
                             options_.standard_error ? "standard error" : "there"));
        value("--log-format", "FORMAT", "text or json: a line of either for each event; otherwise text",
              [&options = options_](const std::string& name) { options.log_json = is_json(name); });
        value("--log-level", "LEVEL",
              fmt::format("log only from this on: debug, info, warning, error;\notherwise {}",
                          to_string(options_.least)),
              [&options = options_](const std::string& name) { options.least = level_named(name); });
        flag("--syslog", options_.syslog, "log to syslog(3) instead of a file")->excludes(file);
        text("--prefix", options_.syslog_prefix, "NAME",
             "who speaks in syslog; otherwise the program's name");
    }
    void add_place()
    {
        value("--pidfile", "FILE",
              "write the process's number there; '' is nowhere. Otherwise\nPROGRAM.pid, "
              "for a daemon only",
              [&options = options_](const std::string& path) { options.pid_file = path; });
        text("-d,--rundir", options_.directory, "DIR", "work in this directory, inside that of --chroot");
        text("--chroot", options_.root, "DIR", "see nothing of the file system but what is in there");
        value("--umask", "MASK", "file mode creation mask, octal; otherwise 077 for a daemon",
              [&options = options_](const std::string& mask) { options.umask = umask_in(mask); });
    }
    void add_user()
    {
        text("-u,--uid", options_.user, "USER", "become this user once ports and files are open");
        text("-g,--gid", options_.group, "GROUP", "become a member of this group; otherwise the user's own");
        flag("--euid", options_.effective_only, "become it for the time being: root can be had back");
        flag("--statistics", options_.statistics, "log at the end what the run cost");
    }

private:
    CLI::Option* text(const char* name, std::string& where, const char* type, const std::string& what)
    {
        return parser_.add_option(name, where, what)->type_name(type)->group(group_);
    }
    CLI::Option* flag(const char* name, bool& where, const char* what)
    {
        return parser_.add_flag(name, where, what)->group(group_);
    }
    void value(const char* name, const char* type, const std::string& what,
               std::function<void(const std::string&)> take)
    {
        parser_.add_option_function<std::string>(name, std::move(take), what)->type_name(type)->group(group_);
    }

    CLI::App& parser_;
    run_options& options_;
    const char* group_;
};

} // namespace

void add_run_options(CLI::App& parser, run_options& options, bool foreground_by_default)
{
    options.daemon = !foreground_by_default;
    // For a command they are not what it is about.
    const char* const group = foreground_by_default ? "As a process" : "Options";
    if (foreground_by_default)
        parser.add_flag("--daemon", options.daemon, "go to the background once all has started")
            ->group(group);
    else
        parser.add_flag_callback(
            "-n,--nodaemon", [&options] { options.daemon = false; }, "stay in the foreground");
    option_list list(parser, options, group);
    list.add_log();
    list.add_place();
    list.add_user();
}

std::vector<std::string> words_of(int argc, const char* const* argv)
{
    std::vector<std::string> words;
    bool options_may_follow = true;
    for (int i = 1; i < argc; ++i) {
        std::string word = argv[i];
        options_may_follow = options_may_follow && word != "--";
        const bool empty_value = options_may_follow && word.starts_with("--") && word.ends_with('=');
        if (empty_value)
            word.pop_back();
        words.push_back(std::move(word));
        if (empty_value)
            words.emplace_back();
    }
    std::reverse(words.begin(), words.end());
    return words;
}

std::string program_name(int argc, const char* const* argv)
{
    const std::string_view path = argc > 0 && argv[0] != nullptr ? argv[0] : "";
    const std::string_view name = path.substr(path.rfind('/') + 1); // npos + 1 is 0
    return name.empty() ? "application" : std::string(name);
}

std::optional<int> read_command_line(const std::string& application, run_options& options, int argc,
                                     const char* const* argv)
{
    const std::string program = program_name(argc, argv);
    CLI::App parser(application, program);
    parser.formatter(std::make_shared<help_text>());
    parser.set_help_flag("-h,--help", "say this");
    parser.add_flag_callback(
        "--version", [] { throw CLI::CallForVersion("", 0); }, "say which version this is");
    add_run_options(parser, options, false);
    parser.footer(std::string(footer));
    try {
        parser.parse(words_of(argc, argv));
    } catch (const CLI::CallForHelp&) {
        return print(parser.help());
    } catch (const CLI::CallForVersion&) {
        return print(fmt::format("{} (postrider {})\n", application, version));
    } catch (const CLI::ParseError& e) {
        fmt::print(stderr, "{}: {}\nTry '{} --help'.\n", program, sentence_for(e, parser), program);
        return exit_usage;
    }
    return std::nullopt;
}

} // namespace postrider::app
