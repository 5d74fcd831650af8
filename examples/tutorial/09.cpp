// SPDX-License-Identifier: MIT
// tutorial/09: where to connect to is a question for a function.

#include <postrider/app/application.hpp>
#include <postrider/app/clients.hpp>
#include <postrider/app/run.hpp>
#include <postrider/esmtp_client.hpp>

namespace app = postrider::app;

class smtp_tutorial_client : public postrider::esmtp_client {
public:
    using esmtp_client::esmtp_client;

    app::eventually<std::optional<std::string>> get_mail_from() override
    {
        return std::exchange(mail_from_, std::nullopt);
    }

    app::eventually<std::vector<std::string>> get_mail_to() override { return mail_to_; }

    app::eventually<postrider::body> get_mail_data() override { return mail_data_; }

    void sent_mail(int, const std::string&, std::size_t accepted,
                   const std::vector<postrider::recipient_report>&, std::span<const std::string>) override
    {
        log().info("Sent " + std::to_string(accepted) + " messages");
        loop().stop();
    }

    void send_error(const postrider::esmtp_failure& what, std::span<const std::string> lines) override
    {
        esmtp_client::send_error(what, lines); // logs it, and notes it for the exit status
        loop().stop();
    }

private:
    std::optional<std::string> mail_from_ = "tutorial_sender@example.com";
    std::vector<std::string> mail_to_ = {"tutorial_recipient@example.net"};
    postrider::body mail_data_ = "Date: Fri, 6 Feb 2004 10:14:39 -0800\n"
                                 "From: Tutorial Guy <tutorial_sender@example.com>\n"
                                 "To: Tutorial Gal <tutorial_recipient@example.net>\n"
                                 "Subject: Tutorate!\n"
                                 "\n"
                                 "Hello, how are you, goodbye.\n";
};

class smtp_client_factory : public app::client_factory {
public:
    std::shared_ptr<app::protocol> build_protocol(const std::string&) override
    {
        return std::make_shared<smtp_tutorial_client>("example.com");
    }

    void connection_failed(app::connector& which, const app::reason& why) override
    {
        client_factory::connection_failed(which, why); // logs it, and notes it for the exit status
        which.loop().stop();
    }
};

std::string get_mail_exchange(const std::string& /*domain*/) { return "localhost"; }

int main(int argc, char** argv)
{
    app::application application("SMTP Client Tutorial");
    application.emplace<app::tcp_client>(get_mail_exchange("example.net"), 2525,
                                         std::make_shared<smtp_client_factory>());
    return app::run(application, argc, argv);
}
