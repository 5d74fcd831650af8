// SPDX-License-Identifier: MIT
// bench/driver: sends one message so many times over so many connections, as fast as the client can.
//
//     driver HOST PORT CONNECTIONS MESSAGES FILE
//
// The public API as a program with a lot of mail would use it: one thread, one coroutine for each
// connection, messages handed over a hundred at a time. Exit status 0 only if all were delivered.

#include "postrider/client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;

constexpr std::size_t messages_at_a_time = 100;

struct work {
    postrider::server where;
    postrider::message what;
    std::size_t left;
    bool failed = false;
};

asio::awaitable<void> one_connection(work& all)
{
    postrider::settings how;
    how.our_name("client.example.test");
    postrider::client smtp(co_await asio::this_coro::executor, how);
    co_await smtp.async_connect(all.where);
    while (all.left > 0 && !all.failed) {
        const std::size_t n = std::min(all.left, messages_at_a_time);
        all.left -= n;
        std::vector<postrider::message> batch(n, all.what);
        const std::vector<postrider::report> reports = co_await smtp.async_send_all(std::move(batch));
        for (const postrider::report& r : reports)
            all.failed = all.failed || !r.all_delivered();
    }
    co_await smtp.async_quit();
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 6) {
        std::fputs("usage: driver HOST PORT CONNECTIONS MESSAGES FILE\n", stderr);
        return 64;
    }
    try {
        asio::io_context io(1);
        postrider::envelope who("sender@example.test", {"rcpt0@example.test"});
        work all{postrider::server(std::string(argv[1]) + ":" + argv[2]),
                 postrider::message(who, postrider::body::file(argv[5])), std::stoul(argv[4])};
        for (int i = 0; i < std::atoi(argv[3]); ++i)
            asio::co_spawn(io, one_connection(all), [&all](std::exception_ptr thrown) {
                if (thrown)
                    all.failed = true;
            });
        io.run();
        return all.failed ? 1 : 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "driver: %s\n", e.what());
        return 1;
    }
}
