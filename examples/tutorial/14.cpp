// SPDX-License-Identifier: MIT
// tutorial/14: a daemon that sends a message every hour.

#include <postrider/app/application.hpp>
#include <postrider/app/run.hpp>
#include <postrider/app/timer_service.hpp>
#include <postrider/mailer.hpp>

#include <memory>

namespace asio = boost::asio;
namespace app = postrider::app;
using namespace std::chrono_literals;

class hourly_letter {
public:
    explicit hourly_letter(app::application& application)
        : application_(application), mail_(application.loop().get_executor(), how())
    {
    }

    asio::awaitable<void> send()
    {
        postrider::envelope who("tutorial_sender@example.com", {"tutorial_recipient@example.net"});
        std::string text =
            "From: tutorial_sender@example.com\nSubject: All is well\n\nUntil the next hour.\n";
        postrider::report report = co_await mail_.async_deliver(postrider::message(who, text));
        for (const auto& one : report.recipients)
            application_.log().info(one.recipient.to_string() + ": " + std::string(to_string(one.verdict)));
    }

private:
    static postrider::settings how()
    {
        return postrider::settings()
            .our_name("example.com")
            .dns_server("127.0.0.1:5300")
            .exchanger_port(2525);
    }

    app::application& application_;
    postrider::mailer mail_;
};

int main(int argc, char** argv)
{
    app::application application("Hourly Letter");
    hourly_letter letter(application);
    application.emplace<app::timer_service>(1h, [&letter] { return letter.send(); });
    return app::run(application, argc, argv);
}
