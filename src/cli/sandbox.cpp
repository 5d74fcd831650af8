// SPDX-License-Identifier: MIT
// cli/sandbox: `postrider sandbox`: a mail Internet on this machine, until it is interrupted.
//
// Exit status: 0 after SIGINT or SIGTERM; 64 an option cannot be used; 65 the zone file is malformed;
// 66 it cannot be read; 71 a port cannot be listened on; 73 the ready file cannot be written; 74
// standard output cannot.

#include "app/help_text.hpp"
#include "app/options.hpp"
#include "app/run_failure.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/exit_status.hpp"
#include "dns/record.hpp"
#include "postrider/app/application.hpp"
#include "postrider/app/run.hpp"
#include "sandbox/sandbox_service.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace postrider::cli {
namespace {

using app::whole_number;

constexpr std::size_t zone_octets_max = 1u << 20;

struct sandbox_arguments {
    std::string zone_file;
    std::string ready_file;
    std::uint16_t dns_port = 0, smtp_port = 0, http_port = 0;
    bool json = false, verbose = false;
    app::run_options how;
};

// What ends the command before it has begun.
using failure = app::run_failure;

std::string shown(std::string_view text) { return base::escaped(text, 256); }

std::string last_error() { return std::strerror(errno); }

std::string read_zone_file(const std::string& name)
{
    std::ifstream file(name, std::ios::binary);
    std::string text;
    char piece[4096];
    while (file.read(piece, sizeof piece) || file.gcount() > 0) {
        text.append(piece, static_cast<std::size_t>(file.gcount()));
        if (text.size() > zone_octets_max)
            throw failure(exit_data, fmt::format("{}: more than {} octets is no zone file", shown(name),
                                                 zone_octets_max));
    }
    if (!file.eof())
        throw failure(exit_no_input, fmt::format("cannot read {}: {}", shown(name), last_error()));
    return text;
}

sandbox::world load_world(const std::string& zone_file)
{
    if (zone_file.empty())
        return sandbox::parse_world(sandbox::default_world()).value();
    result<sandbox::world> read = sandbox::parse_world(read_zone_file(zone_file));
    if (!read)
        throw failure(exit_data, fmt::format("{}: {}", shown(zone_file), read.problem().what));
    return std::move(*read);
}

// Written beside its place and moved there: who sees the file sees all of it.
void write_ready_file(const std::string& name, const std::string& json)
{
    const std::string draft = fmt::format("{}.{}", name, getpid());
    std::ofstream file(draft, std::ios::binary | std::ios::trunc);
    file << json << '\n';
    file.close();
    if (!file || std::rename(draft.c_str(), name.c_str()) != 0) {
        const std::string why = last_error();
        std::remove(draft.c_str());
        throw failure(exit_cannot_create, fmt::format("cannot write {}: {}", shown(name), why));
    }
}

// Whoever waits for the file must not find that of a sandbox that has ended: it goes with us, and if
// an earlier one could not take its file along, before we listen.
void remove_ready_file(const std::string& name)
{
    std::error_code failed;
    if (!name.empty() && std::filesystem::is_regular_file(name, failed))
        std::filesystem::remove(name, failed);
    if (failed && failed != std::errc::no_such_file_or_directory)
        throw failure(exit_cannot_create,
                      fmt::format("cannot replace {}: {}", shown(name), failed.message()));
}

std::string introduction(const sandbox::description& about)
{
    std::string text = "A mail Internet on this machine. Mail sent into it stays in it.\n\n";
    const auto out = std::back_inserter(text);
    fmt::format_to(out, "  page        {}\n", about.page());
    fmt::format_to(out, "  DNS         {}\n", about.resolver());
    std::string_view title = "exchangers";
    for (const sandbox::description::host& host : about.exchangers) {
        for (const std::string& address : host.addresses) {
            const net::endpoint where(asio::ip::make_address(address), about.smtp_port);
            fmt::format_to(out, "  {:<11} {}  {}{}\n", title, where.to_string(), shown(host.name),
                           host.listens ? "" : "  (does not listen)");
            title = "";
        }
    }
    if (!about.commands.empty())
        text += "\nSend something, and look at the page:\n\n";
    for (const std::string& command : about.commands)
        fmt::format_to(out, "  {}\n", shown(command));
    text += "\nStop with Ctrl-C.\n";
    return text;
}

void print(const std::string& text)
{
    if (std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) == EOF)
        throw failure(exit_io, "cannot write to standard output: " + last_error());
}

// Whether anybody reads standard error makes no difference to the mail.
void complain(const std::string& line) { std::fputs(line.c_str(), stderr); }

void print_line(std::string_view exchanger, std::string_view client, const sandbox::spoken_line& line)
{
    complain(fmt::format("{} {} {}: {}\n", shown(exchanger), shown(client), line.who,
                         base::escaped(line.text, 1024)));
}

void print_question(const sandbox::answered_question& q)
{
    complain(fmt::format("dns {} {} {}: {}\n", shown(q.client), shown(q.asked.owner.to_string()),
                         dns::to_string(q.asked.kind), q.code ? dns::to_string(*q.code) : "no answer"));
}

sandbox::sandbox_options options_for(const sandbox_arguments& given)
{
    sandbox::sandbox_options options;
    options.dns_port = given.dns_port;
    options.smtp_port = given.smtp_port;
    options.http_port = given.http_port;
    if (given.verbose) {
        options.overhears = print_line;
        options.hears = print_question;
    }
    return options;
}

void announce(const sandbox_arguments& given, const sandbox::description& about)
{
    const std::string json = to_json(about);
    if (!given.how.daemon)
        print(given.json ? json + "\n" : introduction(about));
    if (!given.ready_file.empty())
        write_ready_file(given.ready_file, json);
}

int serve(const sandbox_arguments& given)
{
    remove_ready_file(given.ready_file);
    app::application application("The sandbox");
    application.emplace<sandbox::sandbox_service>(
        load_world(given.zone_file), options_for(given),
        [&given](const sandbox::description& about) { announce(given, about); });
    const int status = app::run(application, given.how, "postrider-sandbox");
    remove_ready_file(given.ready_file);
    return status;
}

int run_sandbox(const sandbox_arguments& given)
{
    try {
        return serve(given);
    } catch (const failure& f) {
        fmt::print(stderr, "postrider sandbox: {}\n", f.what());
        return f.status();
    }
}

} // namespace

void add_sandbox_command(CLI::App& app, int& status)
{
    const auto given = std::make_shared<sandbox_arguments>();
    CLI::App* command = app.add_subcommand(
        "sandbox",
        "Plays a mail Internet on this machine: DNS, mail exchangers, and a page with the mail.\n\n"
        "It listens on loopback addresses only, says where, and ends with Ctrl-C or SIGTERM.\n"
        "Mail sent into it is kept in memory and goes nowhere else.");
    command->group("Commands");
    const auto option = [command](const char* name, auto& value, const char* type, const char* what) {
        return command->add_option(name, value, what)->type_name(type);
    };
    option("--zone", given->zone_file, "FILE",
           "the world to play: names, addresses and behaviours,\none a line; otherwise example.org and some "
           "others");
    option("--dns-port", given->dns_port, "PORT", "of the DNS server; otherwise any that is free")
        ->check(whole_number("a port", 0, 65'535));
    option("--smtp-port", given->smtp_port, "PORT", "of every mail exchanger; otherwise any that is free")
        ->check(whole_number("a port", 0, 65'535));
    option("--http-port", given->http_port, "PORT", "of the page; otherwise any that is free")
        ->check(whole_number("a port", 0, 65'535));
    option("--ready-file", given->ready_file, "FILE", "write the addresses there, as JSON, once all listens");
    command->add_flag("--json", given->json, "the addresses as one line of JSON, and nothing else");
    command->add_flag("-v,--verbose", given->verbose,
                      "every conversation and DNS question, on standard error");
    given->how.standard_error = true; // standard output is for what the command says
    given->how.least = app::log_level::warning;
    app::add_run_options(*command, given->how, true);
    command->callback([given, &status] { status = run_sandbox(*given); });
}

} // namespace postrider::cli
