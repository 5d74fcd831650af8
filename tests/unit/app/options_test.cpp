// SPDX-License-Identifier: MIT
// app/options_test: command lines, and what they set. What is said about wrong ones is seen whole in
// tests/e2e/runner_test.py.

#include "app/options.hpp"

#include "app/exit_status.hpp"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace postrider::app {
namespace {

struct reading {
    run_options options;
    std::optional<int> ends;
};

reading read(std::vector<const char*> words)
{
    words.insert(words.begin(), "/usr/sbin/mailer");
    reading r;
    r.ends = read_command_line("The Mailer", r.options, static_cast<int>(words.size()), words.data());
    return r;
}

TEST(options, make_a_daemon_unless_they_say_otherwise)
{
    const reading r = read({});
    EXPECT_FALSE(r.ends);
    EXPECT_TRUE(r.options.daemon);
    EXPECT_EQ(r.options.log_file, "");
    EXPECT_EQ(r.options.least, log_level::info);
    EXPECT_EQ(r.options.pid_file, std::nullopt);
    EXPECT_EQ(r.options.umask, std::nullopt);
    EXPECT_FALSE(read({"-n"}).options.daemon);
    EXPECT_FALSE(read({"--nodaemon"}).options.daemon);
}

TEST(options, are_all_taken)
{
    const reading r =
        read({"-n",   "-l",        "x.log",  "--log-format", "json", "--log-level", "warning",     "--prefix",
              "mail", "--pidfile", "x.pid",  "-d",           "/var", "--chroot",    "/srv",        "--umask",
              "027",  "-u",        "daemon", "-g",           "mail", "--euid",      "--statistics"});
    ASSERT_FALSE(r.ends);
    EXPECT_EQ(r.options.log_file, "x.log");
    EXPECT_TRUE(r.options.log_json);
    EXPECT_EQ(r.options.least, log_level::warning);
    EXPECT_EQ(r.options.syslog_prefix, "mail");
    EXPECT_EQ(r.options.pid_file, "x.pid");
    EXPECT_EQ(r.options.directory, "/var");
    EXPECT_EQ(r.options.root, "/srv");
    EXPECT_EQ(r.options.umask, 027);
    EXPECT_EQ(r.options.user, "daemon");
    EXPECT_EQ(r.options.group, "mail");
    EXPECT_TRUE(r.options.effective_only);
    EXPECT_TRUE(r.options.statistics);
    EXPECT_FALSE(r.options.syslog);
}

TEST(options, distinguish_no_pidfile_from_the_default)
{
    EXPECT_EQ(read({"--pidfile", ""}).options.pid_file, "");
    EXPECT_EQ(read({"--pidfile="}).options.pid_file, "");
}

TEST(options, end_the_program_when_they_cannot_be_used)
{
    for (const auto& words : std::vector<std::vector<const char*>>{{"--frob"},
                                                                   {"word"},
                                                                   {"--umask", "8"},
                                                                   {"--umask", "1000"},
                                                                   {"--umask", ""},
                                                                   {"--umask", "-1"},
                                                                   {"--log-level", "loud"},
                                                                   {"--log-format", "xml"},
                                                                   {"-l"},
                                                                   {"--syslog", "-l", "x"},
                                                                   {"-u"}})
        EXPECT_EQ(read(words).ends, exit_usage) << words.front();
}

TEST(options, end_the_program_when_it_is_only_asked_something)
{
    EXPECT_EQ(read({"--help"}).ends, exit_ok);
    EXPECT_EQ(read({"--version", "-n"}).ends, exit_ok);
}

TEST(options, of_a_program_that_stays_in_the_foreground)
{
    CLI::App parser("text", "postrider sandbox");
    run_options options;
    add_run_options(parser, options, true);
    EXPECT_FALSE(options.daemon);
    parser.parse("--daemon --statistics");
    EXPECT_TRUE(options.daemon);
    EXPECT_TRUE(options.statistics);
    EXPECT_THROW(parser.parse("--nodaemon"), CLI::ParseError);
}

TEST(words_of, are_in_reverse_with_empty_values_apart)
{
    const char* const line[] = {"x", "--a=", "--b=c", "-d=", "--", "--e=", ""};
    EXPECT_EQ(words_of(7, line), (std::vector<std::string>{"", "--e=", "--", "-d=", "--b=c", "", "--a"}));
    EXPECT_TRUE(words_of(0, nullptr).empty());
}

TEST(program_name, is_the_last_part_of_the_path)
{
    const auto name_of = [](const char* path) { return program_name(1, &path); };
    EXPECT_EQ(name_of("/usr/sbin/mailer"), "mailer");
    EXPECT_EQ(name_of("mailer"), "mailer");
    EXPECT_EQ(name_of("/"), "application");
    EXPECT_EQ(name_of(""), "application");
    EXPECT_EQ(name_of(nullptr), "application");
    EXPECT_EQ(program_name(0, nullptr), "application");
}

} // namespace
} // namespace postrider::app
