// SPDX-License-Identifier: MIT
// tutorial/12: the same client as one coroutine.

#include <postrider/app/application.hpp>
#include <postrider/app/run.hpp>
#include <postrider/mailer.hpp>

namespace asio = boost::asio;
namespace app = postrider::app;

const postrider::body mail_data = "Date: Fri, 6 Feb 2004 10:14:39 -0800\n"
                                  "From: Tutorial Guy <tutorial_sender@example.com>\n"
                                  "To: Tutorial Gal <tutorial_recipient@example.net>\n"
                                  "Subject: Tutorate!\n"
                                  "\n"
                                  "Hello, how are you, goodbye.\n";

asio::awaitable<void> deliver(app::application& application)
{
    postrider::settings how;
    how.our_name("example.com").dns_server("127.0.0.1:5300").exchanger_port(2525);
    postrider::mailer mail(application.loop().get_executor(), how);

    postrider::envelope who("tutorial_sender@example.com", {"tutorial_recipient@example.net"});
    postrider::report report = co_await mail.async_deliver(postrider::message(who, mail_data));

    auto sent = report.count(postrider::verdict::delivered);
    application.log().info("Sent " + std::to_string(sent) + " messages");
    application.loop().stop(report.all_delivered() ? 0 : 75);
}

int main(int argc, char** argv)
{
    app::application application("SMTP Client Tutorial");
    application.loop().spawn(deliver(application));
    return app::run(application, argc, argv);
}
