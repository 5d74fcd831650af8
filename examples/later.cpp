// SPDX-License-Identifier: MIT
// examples/later: results that come later, in each way in which a program may want them.
//
// docs/guides/results-that-come-later.md shows the parts between the lines with `page`.

#include <postrider/app/eventually.hpp>
#include <postrider/app/loop.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace asio = boost::asio;
namespace app = postrider::app;
using namespace std::chrono_literals;
using boost::system::error_code;

// page: succeed
asio::awaitable<std::string> known() { co_return "localhost"; }
// page: end

// page: fail
asio::awaitable<std::string> unknown()
{
    throw std::runtime_error("no such host");
    co_return std::string();
}
// page: end

// page: later
asio::awaitable<std::string> slow(app::loop& loop, std::string answer)
{
    co_await loop.async_sleep(20ms);
    co_return answer;
}
// page: end

// page: callback
asio::awaitable<void> one_after_the_other(app::loop& loop)
{
    std::string host = co_await slow(loop, "mx.example.net"); // addCallback: the next line
    std::string address = co_await slow(loop, host + " is 192.0.2.1");
    std::cout << "callback: " << address << '\n';
}
// page: end

// page: errback
asio::awaitable<std::string> with_a_fallback()
{
    std::string host;
    try {
        host = co_await unknown();
    } catch (const std::runtime_error& failed) { // addErrback: handle it, or let it pass
        std::cout << "errback: " << failed.what() << '\n';
        host = "fallback.example.net";
    }
    co_return host;
}
// page: end

// page: gather
asio::awaitable<void> both_at_once(app::loop& loop)
{
    using namespace asio::experimental::awaitable_operators;
    auto [first, second] = co_await (slow(loop, "one") && slow(loop, "two"));
    std::cout << "gather: " << first << " and " << second << '\n';
}
// page: end

// page: timeout
asio::awaitable<void> not_for_ever(app::loop& loop)
{
    using namespace asio::experimental::awaitable_operators;
    auto outcome = co_await (slow(loop, "in time") || loop.async_sleep(5ms));
    std::cout << "timeout: " << (outcome.index() == 0 ? std::get<0>(outcome) : "too late") << '\n';
}
// page: end

// page: cancel
void start_and_think_better_of_it(app::loop& loop, asio::cancellation_signal& stop)
{
    auto done = [](std::exception_ptr failed, std::string) {
        std::cout << "cancel: " << (failed ? "ended early" : "too late to cancel") << '\n';
    };
    asio::co_spawn(loop.get_executor(), slow(loop, "never"), asio::bind_cancellation_slot(stop.slot(), done));
    loop.call_later(1ms, [&stop] { stop.emit(asio::cancellation_type::terminal); });
}
// page: end

// page: fire
/// Somebody asks now, somebody else answers later: what one writes a Deferred for.
class answers {
public:
    template <class Token = asio::use_awaitable_t<>>
    auto async_wait_for(std::string question, Token&& token = Token())
    {
        return asio::async_initiate<Token, void(error_code, std::string)>(
            [this](auto handler, std::string q) { waiting_.emplace(std::move(q), std::move(handler)); },
            token, std::move(question));
    }

    void answer(const std::string& question, std::string text)
    {
        if (auto who = waiting_.extract(question); !who.empty())
            std::move(who.mapped())(error_code(), std::move(text));
    }

private:
    std::map<std::string, asio::any_completion_handler<void(error_code, std::string)>> waiting_;
};
// page: end

// page: maybe
app::eventually<std::string> cached_or_asked(app::loop& loop, bool cached)
{
    if (cached)
        return "from memory";
    return slow(loop, "from afar");
}
// page: end

asio::awaitable<void> all(app::loop& loop, asio::cancellation_signal& stop)
{
    std::string host = co_await known();
    std::cout << "succeed: " << host << '\n';
    co_await one_after_the_other(loop);
    host = co_await with_a_fallback();
    std::cout << "chain: " << host << '\n';
    co_await both_at_once(loop);
    co_await not_for_ever(loop);

    answers pending;
    loop.call_later(1ms, [&pending] { pending.answer("color?", "yellow"); });
    std::string color = co_await pending.async_wait_for("color?");
    std::cout << "fire: " << color << '\n';

    std::string memory = co_await cached_or_asked(loop, true).get();
    std::string afar = co_await cached_or_asked(loop, false).get();
    std::cout << "maybe: " << memory << ", " << afar << '\n';

    start_and_think_better_of_it(loop, stop);
    co_await loop.async_sleep(50ms);
    loop.stop();
}

int main()
{
    app::loop loop;
    asio::cancellation_signal stop;
    loop.spawn(all(loop, stop));

    // page: function
    auto print = [](error_code failed) { std::cout << "function: " << failed.message() << '\n'; };
    loop.async_sleep(1ns, print); // the same operation, for code that has callbacks
    // page: end
    return loop.run();
}
