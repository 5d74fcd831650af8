// SPDX-License-Identifier: MIT
// tutorial/13: two messages, five recipients, and what became of each.

#include <postrider/app/application.hpp>
#include <postrider/app/run.hpp>
#include <postrider/mailer.hpp>

namespace asio = boost::asio;
namespace app = postrider::app;

std::vector<postrider::message> letters()
{
    const std::string me = "tutorial_sender@example.com";
    const std::string from = "From: Tutorial Guy <" + me + ">\n";
    postrider::envelope friends(me, {"ann@example.org", "bob@example.net", "eve@example.net"});
    postrider::envelope shops(me, {"orders@down.example", "orders@null.example"});
    std::vector<postrider::message> all;
    all.emplace_back(friends, from + "Subject: Party\n\nOn Friday, at eight.\n");
    all.emplace_back(shops, from + "Subject: Cake\n\nOne, please, with candles.\n");
    return all;
}

asio::awaitable<void> deliver(app::application& application)
{
    postrider::settings how;
    how.our_name("example.com").dns_server("127.0.0.1:5300").exchanger_port(2525);
    postrider::mailer mail(application.loop().get_executor(), how);

    bool all_delivered = true;
    std::vector<postrider::report> reports = co_await mail.async_deliver_all(letters());
    for (const auto& report : reports) {
        all_delivered = all_delivered && report.all_delivered();
        for (const auto& one : report.recipients)
            application.log().info(one.recipient.to_string() + ": " + std::string(to_string(one.verdict)) +
                                   ": " + one.why);
    }
    application.loop().stop(all_delivered ? 0 : 69);
}

int main(int argc, char** argv)
{
    app::application application("SMTP Client Tutorial");
    application.loop().spawn(deliver(application));
    return app::run(application, argc, argv);
}
