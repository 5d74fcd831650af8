// SPDX-License-Identifier: MIT
// cli/send: `postrider send`: messages to their mail exchangers, or to a server that is named.
//
// Exit status: see cli/exit_status.hpp. Nothing is sent before every argument has been read and
// found usable. Reports go to standard output, everything else to standard error.

#include "app/help_text.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/exit_status.hpp"
#include "cli/send_output.hpp"
#include "cli/simple_text.hpp"
#include "cli/standard_input.hpp"
#include "cli/terminal.hpp"
#include "net/endpoint.hpp"
#include "net/environment.hpp"
#include "postrider/client.hpp"
#include "postrider/mailer.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace postrider::cli {
namespace {

namespace asio = boost::asio;
using app::whole_number;
using boost::system::error_code;

constexpr std::uint64_t bar_from_octets = 4u << 20;

struct arguments {
    std::optional<std::string> from;
    std::vector<std::string> to, files, resolvers;
    std::optional<std::string> server, helo;
    std::optional<std::string> subject, text;
    std::optional<unsigned> timeout;
    unsigned mx_port = 25;
    bool verbose = false, json = false, dry_run = false, no_pipelining = false;
};

// What ends the command before anything is sent: a sentence and an exit status.
struct stop {
    exit_status status;
    std::string sentence;
};

// The conversation on standard error, with the time since the start.
class conversation_printer {
public:
    conversation_printer(terminal& to, const net::environment& world)
        : to_(to), world_(world), begun_(world.now())
    {
    }

    void operator()(const trace_line& line)
    {
        const std::chrono::duration<double> passed = world_.now() - begun_;
        if (line.peer != peer_ && !line.peer.empty()) {
            peer_ = line.peer;
            to_.write(to_.paint(fmt::format("{:9.3f} -- {}\n", passed.count(), base::escaped(line.peer)),
                                colour::faint));
        }
        to_.write(fmt::format("{:9.3f} {} {}\n", passed.count(),
                              to_.paint(mark(line.what), colour_of(line.what)),
                              base::escaped(line.octets, 2048)));
    }

private:
    static std::string_view mark(trace_line::kind k)
    {
        switch (k) {
        case trace_line::kind::client:
        case trace_line::kind::body: return "C:";
        case trace_line::kind::server: return "S:";
        case trace_line::kind::network: break;
        }
        return "!:";
    }

    static colour colour_of(trace_line::kind k)
    {
        switch (k) {
        case trace_line::kind::client:
        case trace_line::kind::body: return colour::plain;
        case trace_line::kind::server: return colour::good;
        case trace_line::kind::network: break;
        }
        return colour::warning;
    }

    terminal& to_;
    std::string peer_;
    const net::environment& world_;
    net::time_point begun_;
};

class send_run {
public:
    explicit send_run(arguments given) : given_(std::move(given)) {}

    exit_status run()
    {
        read_envelope();
        read_settings();
        read_messages();
        return given_.dry_run ? plan() : send();
    }

private:
    void read_envelope()
    {
        if (given_.to.empty())
            throw stop{exit_usage, "no recipient: give --to ADDRESS, once for each"};
        if (!given_.from)
            throw stop{exit_usage,
                       "no sender: give --from ADDRESS, or --from '<>' for the null reverse-path"};
        envelope e;
        if (!given_.from->empty() && *given_.from != "<>")
            e = envelope(read_address("--from", *given_.from));
        for (const std::string& to : given_.to)
            e.to(read_address("--to", to));
        envelope_ = std::move(e);
        for (const address& to : envelope_.recipients())
            domains_.insert(to.ascii_domain());
    }

    static address read_address(std::string_view option, const std::string& text)
    {
        auto parsed = address::parse(text);
        if (!parsed)
            throw stop{exit_data, fmt::format("{} '{}' is no address: {}", option, base::escaped(text, 300),
                                              parsed.problem().what)};
        return *std::move(parsed);
    }

    void read_settings()
    {
        if (given_.helo) {
            const auto name = parse_domain(*given_.helo);
            if (!name)
                throw stop{exit_usage, fmt::format("--helo '{}' is no name: {}",
                                                   base::escaped(*given_.helo, 300), name.problem().what)};
            settings_.our_name(*name);
        }
        if (given_.server) {
            auto where = server::parse(*given_.server);
            if (!where)
                throw stop{exit_usage, fmt::format("--server '{}': {}", base::escaped(*given_.server, 300),
                                                   where.problem().what)};
            server_ = *std::move(where);
        }
        if (given_.timeout)
            settings_.timeout(std::chrono::seconds(*given_.timeout));
        settings_.exchanger_port(static_cast<std::uint16_t>(given_.mx_port));
        settings_.pipelining(!given_.no_pipelining);
        for (const std::string& r : given_.resolvers) {
            const auto where = net::endpoint::parse(r, 53);
            if (!where || where->is_unix())
                throw stop{exit_usage, fmt::format("--resolver '{}' is no DNS server: an address is needed, "
                                                   "as 192.0.2.53, 192.0.2.53:53 or [2001:db8::53]:53",
                                                   base::escaped(r, 300))};
            settings_.dns_server(where->to_string());
        }
        if (given_.verbose)
            settings_.trace([this](const trace_line& line) { printer_(line); });
    }

    void read_messages()
    {
        if (!given_.files.empty() && (given_.subject || given_.text))
            throw stop{exit_usage, "give either message files, or --subject and --body"};
        if (given_.subject || given_.text) {
            add("(text)", simple_message());
            return;
        }
        if (given_.files.empty())
            given_.files.push_back("-");
        bool input_taken = false;
        for (const std::string& file : given_.files) {
            if (file == "-" && std::exchange(input_taken, true))
                throw stop{exit_usage, "standard input ('-') can be only one of the messages"};
            try {
                if (file != "-")
                    add(file, body::file(file));
                else if (!given_.dry_run) // nobody has to type a message to ask where it would go
                    add("(standard input)", read_input());
            } catch (const cannot_put_aside& e) {
                throw stop{exit_cannot_create, base::escaped(e.what(), 512)};
            } catch (const std::system_error& e) {
                throw stop{exit_no_input,
                           fmt::format("cannot read {}: {}",
                                       file == "-" ? "standard input" : base::escaped(file, 512),
                                       e.code().message())};
            }
        }
    }

    body read_input()
    {
        if (::isatty(STDIN_FILENO) == 1)
            errors_.write("postrider: reading the message from the terminal; end it with control-D\n");
        return standard_input(io_.get_executor(), !server_ && domains_.size() > 1);
    }

    body simple_message() const
    {
        constexpr std::uint32_t any = ~std::uint32_t{0};
        const std::string unique = fmt::format("{:x}.{:08x}{:08x}",
                                               std::chrono::system_clock::now().time_since_epoch().count(),
                                               world_->random(any), world_->random(any));
        text_parts parts;
        parts.subject = given_.subject ? std::string_view(*given_.subject) : std::string_view();
        parts.text = given_.text ? std::string_view(*given_.text) : std::string_view();
        parts.date = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
        parts.unique = unique;
        const std::string name = envelope_.reverse_path() ? envelope_.reverse_path()->ascii_domain()
                                                          : "localhost";
        parts.our_name = name;
        auto made = simple_text(envelope_, parts);
        if (!made)
            throw stop{exit_data, made.problem().what};
        return body(*std::move(made));
    }

    void add(std::string name, body content)
    {
        octets_ = octets_ && content.size() ? std::optional(*octets_ + *content.size()) : std::nullopt;
        names_.push_back(std::move(name));
        messages_.emplace_back(envelope_, std::move(content));
    }

    // Bodies of a few MiB take long enough to wonder; several of them share one bar.
    void show_progress()
    {
        if (!errors_.is_terminal() || given_.verbose || messages_.size() != 1 ||
            (octets_ && *octets_ < bar_from_octets))
            return;
        bar_.emplace(errors_, octets_, world_->now());
        settings_.progress([this](std::uint64_t octets, bool ended) {
            if (octets_ || octets >= bar_from_octets)
                bar_->show(octets, ended, world_->now());
        });
    }

    exit_status send()
    {
        show_progress();
        std::vector<report> reports;
        if (server_)
            send_to_server(reports);
        else
            send_to_exchangers(reports);
        const exit_status status = status_of(reports);
        if (status == exit_usage)
            throw stop{exit_usage, reports.front().recipients.front().why};
        if (given_.verbose && output_.is_terminal())
            errors_.write("\n");
        const bool written = output_.write(given_.json ? report_json(reports, names_, status)
                                                       : report_text(reports, names_, output_));
        return written ? status : exit_io;
    }

    void send_to_server(std::vector<report>& reports)
    {
        client to(io_.get_executor(), settings_);
        interrupt_.emplace(io_, SIGINT, SIGTERM);
        interrupt_->async_wait([&to](error_code ec, int) {
            if (!ec)
                to.cancel();
        });
        // The report of a message that never began says why there was no connection.
        to.async_connect(*server_, [&](error_code ec, connect_report reached) {
            if (ec) {
                reports = without_connection(ec, reached);
                interrupt_->cancel();
                return;
            }
            to.async_send_all(std::move(messages_), [&](error_code, std::vector<report> sent) {
                reports = std::move(sent);
                to.async_quit([&] { interrupt_->cancel(); });
            });
        });
        io_.run();
    }

    void send_to_exchangers(std::vector<report>& reports)
    {
        mailer to(io_.get_executor(), settings_);
        interrupt_.emplace(io_, SIGINT, SIGTERM);
        interrupt_->async_wait([&to](error_code ec, int) {
            if (!ec)
                to.cancel();
        });
        to.async_deliver_all(std::move(messages_), [&](error_code, std::vector<report> sent) {
            reports = std::move(sent);
            interrupt_->cancel();
        });
        io_.run();
    }

    std::vector<report> without_connection(error_code ec, const connect_report& reached) const
    {
        std::vector<report> reports;
        for (const message& m : messages_) {
            report& r = reports.emplace_back();
            for (const address& to : m.envelope().recipients()) {
                recipient_report& one = r.recipients.emplace_back(to);
                one.verdict = reached.meaning;
                one.where = reached.where;
                one.host = reached.host;
                one.peer = reached.peer;
                one.said = reached.said;
                one.status = reached.status;
                one.why = reached.why;
                one.error = ec;
            }
        }
        return reports;
    }

    exit_status plan()
    {
        if (server_) {
            return output_.write(given_.json ? plan_json(*server_) : plan_text(*server_)) ? exit_ok : exit_io;
        }
        mailer to(io_.get_executor(), settings_);
        std::vector<planned_route> plan;
        error_code failed;
        to.async_plan(envelope_, [&](error_code ec, std::vector<planned_route> found) {
            failed = ec;
            plan = std::move(found);
        });
        io_.run();
        if (failed)
            throw stop{exit_usage, plan.empty() ? failed.message() : plan.front().why};
        if (!output_.write(given_.json ? plan_json(plan) : plan_text(plan, output_)))
            return exit_io;
        return status_of(plan);
    }

    static exit_status status_of(const std::vector<planned_route>& plan)
    {
        exit_status status = exit_ok;
        for (const planned_route& p : plan) {
            if (p.hosts.empty() && p.meaning == verdict::refused)
                return exit_no_host;
            if (p.hosts.empty())
                status = exit_temporary;
        }
        return status;
    }
    using exit_status_of_reports = exit_status (*)(const std::vector<report>&);
    static constexpr exit_status_of_reports status_of_reports = &cli::status_of;
    static exit_status status_of(const std::vector<report>& reports) { return status_of_reports(reports); }

    arguments given_;
    asio::io_context io_{1};
    std::shared_ptr<net::environment> world_ = net::make_environment(io_.get_executor());
    terminal output_{stdout}, errors_{stderr};
    conversation_printer printer_{errors_, *world_};
    std::optional<progress_bar> bar_;

    envelope envelope_;
    std::set<std::string> domains_;
    std::optional<server> server_;
    settings settings_;
    std::vector<message> messages_;
    std::vector<std::string> names_;
    std::optional<std::uint64_t> octets_ = 0; // of all messages, if known

    std::optional<asio::signal_set> interrupt_;
};

int run_send(arguments given)
{
    try {
        send_run run(std::move(given));
        return run.run();
    } catch (const stop& s) {
        fmt::print(stderr, "postrider send: {}\n", s.sentence);
        return s.status;
    }
}

} // namespace

void add_send_command(CLI::App& app, int& exit_status)
{
    const auto given = std::make_shared<arguments>();
    CLI::App* const send = app.add_subcommand(
        "send", "Sends messages, and says for each recipient what became of them.\n\n"
                "They go to the mail exchangers of their recipients, or all to one --server.\n"
                "Without FILE, --subject and --body the message is read from standard input.");
    send->group("Commands");
    const auto once = [send](const char* name, auto& value, const char* type, const char* what) {
        return send->add_option(name, value, what)->type_name(type);
    };
    const auto often = [send](const char* name, auto& value, const char* type, const char* what) {
        return send->add_option(name, value, what)->type_name(type)->allow_extra_args(false);
    };
    once("--from", given->from, "ADDRESS",
         "who is told if it cannot be delivered: the envelope's\n"
         "sender, or '<>' for nobody");
    often("--to", given->to, "ADDRESS", "a recipient; once for each");
    once("--server", given->server, "SERVER",
         "hand everything to this server: host[:port],\n"
         "[v6]:port or unix:/path; the port is 25 unless given");
    once("--subject", given->subject, "TEXT", "send a short text instead of a file: its subject");
    once("--body", given->text, "TEXT", "and what stands in it");
    once("--helo", given->helo, "NAME",
         "call ourselves this in EHLO; otherwise this host's\n"
         "name, or its address if the name has no dot");
    once("--timeout", given->timeout, "SECONDS",
         "wait no longer than this for any one thing, 1 to\n"
         "86400; otherwise 30 seconds to 10 minutes, as\n"
         "RFC 5321 has it for each")
        ->check(whole_number("a number of seconds", 1, 86'400));
    often("--resolver", given->resolvers, "SERVER",
          "ask this DNS server, address[:port]; more than one\n"
          "may be given; otherwise those of /etc/resolv.conf");
    once("--mx-port", given->mx_port, "PORT", "the port of mail exchangers; 25 unless given")
        ->check(whole_number("a port", 1, 65'535));
    send->add_flag("--no-pipelining", given->no_pipelining,
                   "one command at a time, whatever the server offers");
    send->add_flag("-v,--verbose", given->verbose, "the conversation, on standard error, with seconds");
    send->add_flag("--json", given->json, "the report as one JSON object");
    send->add_flag("-n,--dry-run", given->dry_run, "only ask DNS, and say where it would go");
    send->add_option("files", given->files, "messages (RFC 5322); '-' is standard input")->type_name("FILE");
    send->footer("Exit status: 0 all delivered; 75 some deferred, in doubt or untried, none refused;\n"
                 "69 some refused; 68 no such domain, or it takes no mail; 64 the command line;\n"
                 "65 an address or a text is malformed; 66 input cannot be read; 73 a temporary\n"
                 "file cannot be made; 74 output cannot be written; 76 the server broke the protocol.");
    send->callback([given, &exit_status] { exit_status = run_send(std::move(*given)); });
}

} // namespace postrider::cli
