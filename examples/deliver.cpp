// SPDX-License-Identifier: MIT
// examples/deliver: one message to two people, past two domains' mail exchangers, and what became of it.
//
//     deliver             asks the system's DNS servers, and sends real mail
//     deliver DNS PORT    asks that DNS server, and sends to that port: `postrider sandbox` says both

#include <postrider/mailer.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <exception>
#include <iostream>
#include <string>

namespace asio = boost::asio;

// README: from here
asio::awaitable<void> deliver(postrider::settings how)
{
    postrider::mailer mail(co_await asio::this_coro::executor, how);
    postrider::envelope who("ann@example.com", {"bob@example.org", "carol@example.net"});
    postrider::message letter(who, "From: ann@example.com\r\nSubject: hello\r\n\r\nHello, both.\r\n");

    postrider::report report = co_await mail.async_deliver(letter);
    for (const auto& one : report.recipients)
        std::cout << one.recipient.to_string() << ": " << to_string(one.verdict) << ": " << one.why << '\n';
}
// README: to here

int main(int argc, char** argv)
try {
    postrider::settings how;
    if (argc == 3)
        how.dns_server(argv[1]).exchanger_port(static_cast<std::uint16_t>(std::stoi(argv[2])));
    asio::io_context io;
    asio::co_spawn(io, deliver(how), [](std::exception_ptr failed) {
        if (failed)
            std::rethrow_exception(failed);
    });
    io.run();
} catch (const std::exception& e) {
    std::cerr << "deliver: " << e.what() << '\n';
    return 1;
}
