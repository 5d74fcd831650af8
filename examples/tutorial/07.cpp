// SPDX-License-Identifier: MIT
// tutorial/07: a message.

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
};

int main(int argc, char** argv)
{
    app::application application("SMTP Client Tutorial");
    application.emplace<app::tcp_client>("localhost", 2525, std::make_shared<smtp_client_factory>());
    return app::run(application, argc, argv);
}
