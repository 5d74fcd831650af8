// SPDX-License-Identifier: MIT
#pragma once
// unit/delivery/esmtp_stage: a callback client in a simulated world, on a connection of its own, and
// everything that it was asked and told.

#include "app/connection.hpp"
#include "app/loop_engine.hpp"
#include "postrider/app/loop.hpp"
#include "postrider/error.hpp"
#include "postrider/esmtp_client.hpp"
#include "support/sim_mail.hpp"
#include "support/sim_mail_server.hpp"
#include "support/sim_script.hpp"
#include "support/sim_world.hpp"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postrider::test {

/// What a program would do.
struct esmtp_plan {
    using sender = app::eventually<std::optional<std::string>>;
    using recipients = app::eventually<std::vector<std::string>>;
    using data = app::eventually<body>;

    std::size_t mails = 1; ///< so many are there
    std::function<sender()> from = [] { return std::optional<std::string>("ann@a.example"); };
    std::function<recipients()> to = [] { return std::vector<std::string>{"bob@b.example"}; };
    std::function<data()> content = [] { return body("Subject: hi\n\nhello\n"); };
    std::function<void()> when_sent = [] {}, when_failed = [] {};

    std::vector<std::string> asked;                     ///< "from", "to", "data", in order
    std::vector<std::vector<recipient_report>> reports; ///< of the messages, in order
    std::vector<std::string> told; ///< "sent 250, 1 accepted: delivered 250", "error timed out: deferred"
    std::string text;              ///< of the last sent_mail()
    std::optional<esmtp_failure> failure;
    std::vector<std::string> log; ///< of the last call
    std::optional<app::reason> lost;
};

class planned_client : public esmtp_client {
public:
    explicit planned_client(esmtp_plan& plan, settings how = {}, std::string name = "client.example")
        : esmtp_client(std::move(name), std::move(how)), plan_(plan)
    {
    }

    app::eventually<std::optional<std::string>> get_mail_from() override
    {
        plan_.asked.emplace_back("from");
        if (plan_.mails == 0)
            return std::optional<std::string>();
        --plan_.mails;
        return plan_.from();
    }

    app::eventually<std::vector<std::string>> get_mail_to() override
    {
        plan_.asked.emplace_back("to");
        return plan_.to();
    }

    app::eventually<body> get_mail_data() override
    {
        plan_.asked.emplace_back("data");
        return plan_.content();
    }

    void sent_mail(int code, const std::string& text, std::size_t accepted,
                   const std::vector<recipient_report>& recipients, std::span<const std::string> log) override
    {
        plan_.told.push_back(
            fmt::format("sent {}, {} accepted: {}", code, accepted, verdicts(report(recipients))));
        plan_.reports.push_back(recipients);
        plan_.text = text;
        plan_.log.assign(log.begin(), log.end());
        plan_.when_sent();
    }

    void send_error(const esmtp_failure& what, std::span<const std::string> log) override
    {
        plan_.told.push_back(
            fmt::format("error {}: {}", what.error.message(), verdicts(report(what.recipients))));
        if (!what.recipients.empty())
            plan_.reports.push_back(what.recipients);
        plan_.failure = what;
        plan_.log.assign(log.begin(), log.end());
        plan_.when_failed();
    }

    void connection_lost(const app::reason& why) override
    {
        esmtp_client::connection_lost(why);
        plan_.lost = why;
    }

    std::string log_prefix() const override { return "planned_client"; }

private:
    esmtp_plan& plan_;
};

class esmtp_stage {
public:
    explicit esmtp_stage(std::uint64_t seed = 1) : world(std::make_shared<sim_world>(context, seed))
    {
        app::set_log_observer([this](const app::log_line& line) {
            log.push_back(fmt::format("[{}] {}: {}", line.prefix, app::to_string(line.level), line.text));
        });
    }

    ~esmtp_stage()
    {
        link.reset();
        context.restart();
        context.poll(); // what was called off ends
        app::set_log_observer({});
    }

    /// Connects a `Client`, made with these arguments, to `there`.
    template <class Client, class... Arguments>
    void begin(std::shared_ptr<sim_peer> there, sim_line line, Arguments&&... arguments)
    {
        auto made = std::make_shared<Client>(std::forward<Arguments>(arguments)...);
        client = made;
        auto makes = std::make_shared<single_factory>(std::move(made));
        link = app::connection::begin(loop, std::move(makes), world->connected(std::move(there), line),
                                      "client", [this](const app::reason&) { ++ended; });
    }

    void begin(sim_manners how = {}, sim_line line = {}, settings with = {})
    {
        server = std::make_shared<sim_mail_server>("mx.example.org", std::move(how), taken);
        begin<planned_client>(server, line, plan, std::move(with));
    }

    void begin(std::vector<sim_script::step> steps)
    {
        script = std::make_shared<sim_script>(std::move(steps));
        begin<planned_client>(script, sim_line(), plan);
    }

    /// Until the connection has ended, or so much simulated time is over.
    bool run(net::clock::duration most = std::chrono::hours(24))
    {
        return world->run(most, [this] { return ended > 0; });
    }

    bool run_until(const std::function<bool()>& until) { return world->run(std::chrono::hours(24), until); }

    asio::io_context context;
    std::shared_ptr<sim_world> world;
    app::loop loop{app::engine_in(world)};
    std::shared_ptr<ledger> taken = std::make_shared<ledger>();
    std::shared_ptr<sim_mail_server> server;
    std::shared_ptr<sim_script> script;
    esmtp_plan plan;
    std::weak_ptr<esmtp_client> client;
    std::shared_ptr<app::connection> link;
    std::vector<std::string> log;
    int ended = 0;

private:
    // Keeps no protocol that it has given away.
    class single_factory final : public app::factory {
    public:
        explicit single_factory(std::shared_ptr<app::protocol> one) : one_(std::move(one)) {}
        std::shared_ptr<app::protocol> build_protocol(const std::string&) override { return std::move(one_); }

    private:
        std::shared_ptr<app::protocol> one_;
    };
};

} // namespace postrider::test
