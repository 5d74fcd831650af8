// SPDX-License-Identifier: MIT
// unit/delivery/completion: the report survives a failure, whatever token asked for it.
#include "postrider/completion.hpp"

#include "delivery/in_world.hpp"
#include "postrider/error.hpp"
#include "support/sim_mail.hpp"
#include "support/sim_mail_server.hpp"
#include "support/sim_world.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_future.hpp>

#include <gtest/gtest.h>

#include <future>
#include <optional>

namespace postrider {
namespace {

using test::verdicts;

// A server that refuses one recipient, accepts the other and says goodbye to DATA.
class completion_test : public testing::Test {
protected:
    completion_test()
    {
        test::sim_manners how;
        how.to_recipient = [](const std::string& who) -> std::optional<smtp::server::answer> {
            if (who.starts_with("no"))
                return smtp::server::answer{550, {5, 1, 1}, "nobody"};
            return std::nullopt;
        };
        how.reply_number = 6;
        how.fault = test::reply_fault::goodbye;
        test::sim_place place;
        place.server = [this, how] { return std::make_shared<test::sim_mail_server>("mx", how, taken); };
        world->put("192.0.2.1:25", place);
    }

    message what()
    {
        return {envelope("ann@a.example", {"bob@b.example", "no@b.example"}), "Subject: x\n\nhi\n"};
    }

    // A client that stands ready.
    std::unique_ptr<client> ready()
    {
        auto smtp = std::make_unique<client>(delivery::client_in(world, settings().our_name("c.example")));
        bool ok = false;
        smtp->async_connect(server("192.0.2.1"), [&](error_code ec, connect_report) { ok = !ec; });
        world->run(std::chrono::hours(1), [&] { return ok; });
        EXPECT_TRUE(ok);
        return smtp;
    }

    void expect_all_of_it(const report& r) { EXPECT_EQ(verdicts(r), expected); }

    static constexpr auto expected = "deferred 421, refused 550";
    asio::io_context context;
    std::shared_ptr<test::sim_world> world = std::make_shared<test::sim_world>(context, 1);
    std::shared_ptr<test::ledger> taken = std::make_shared<test::ledger>();
};

const std::error_code unavailable = make_error_code(error::server_unavailable);

TEST_F(completion_test, callback)
{
    const auto smtp = ready();
    std::optional<report> got;
    smtp->async_send(what(), [&](error_code ec, report r) {
        EXPECT_EQ(std::error_code(ec), unavailable);
        got = std::move(r);
    });
    world->run();
    ASSERT_TRUE(got);
    expect_all_of_it(*got);
}

asio::awaitable<std::string> send_with_default_token(client& smtp, message what)
{
    std::string caught;
    try {
        report r = co_await smtp.async_send(std::move(what));
        caught = "nothing";
    } catch (const send_error& e) {
        caught = e.code() == unavailable ? verdicts(e.report()) : e.what();
    }
    co_return caught;
}

asio::awaitable<std::string> send_with_use_awaitable(client& smtp, message what)
{
    std::string caught;
    try {
        report r = co_await smtp.async_send(std::move(what), asio::use_awaitable);
        caught = "nothing";
    } catch (const send_error& e) {
        caught = e.code() == unavailable ? verdicts(e.report()) : e.what();
    }
    co_return caught;
}

asio::awaitable<std::string> send_with_bound_executor(client& smtp, message what, asio::any_io_executor where)
{
    std::string caught;
    try {
        auto token = asio::bind_executor(where, asio::use_awaitable);
        report r = co_await smtp.async_send(std::move(what), std::move(token));
        caught = "nothing";
    } catch (const send_error& e) {
        caught = e.code() == unavailable ? verdicts(e.report()) : e.what();
    }
    co_return caught;
}

asio::awaitable<std::string> send_with_as_tuple(client& smtp, message what)
{
    auto token = asio::as_tuple(asio::use_awaitable);
    std::tuple<error_code, report> both = co_await smtp.async_send(std::move(what), std::move(token));
    co_return std::error_code(std::get<0>(both)) == unavailable ? verdicts(std::get<1>(both))
                                                                : "another error";
}

asio::awaitable<std::string> send_with_redirect_error(client& smtp, message what)
{
    error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    report r = co_await smtp.async_send(std::move(what), std::move(token));
    co_return std::error_code(ec) == unavailable ? verdicts(r) : "another error";
}

std::string outcome_of(test::sim_world& world, asio::awaitable<std::string> work)
{
    std::string got = "it did not end";
    asio::co_spawn(world.executor(), std::move(work), [&](std::exception_ptr e, std::string s) {
        got = e ? "it threw what nobody catches" : std::move(s);
    });
    world.run();
    return got;
}

TEST_F(completion_test, default_token)
{
    const auto smtp = ready();
    EXPECT_EQ(outcome_of(*world, send_with_default_token(*smtp, what())), expected);
}

TEST_F(completion_test, use_awaitable)
{
    const auto smtp = ready();
    EXPECT_EQ(outcome_of(*world, send_with_use_awaitable(*smtp, what())), expected);
}

TEST_F(completion_test, use_awaitable_with_an_executor)
{
    const auto smtp = ready();
    EXPECT_EQ(outcome_of(*world, send_with_bound_executor(*smtp, what(), world->executor())), expected);
}

TEST_F(completion_test, as_tuple)
{
    const auto smtp = ready();
    EXPECT_EQ(outcome_of(*world, send_with_as_tuple(*smtp, what())), expected);
}

TEST_F(completion_test, redirect_error)
{
    const auto smtp = ready();
    EXPECT_EQ(outcome_of(*world, send_with_redirect_error(*smtp, what())), expected);
}

TEST_F(completion_test, use_future)
{
    const auto smtp = ready();
    std::future<report> future = smtp->async_send(what(), asio::use_future);
    world->run();
    ASSERT_EQ(future.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    try {
        future.get();
        FAIL() << "nothing was thrown";
    } catch (const send_error& e) {
        EXPECT_EQ(e.code(), unavailable);
        expect_all_of_it(e.report());
    }
}

TEST_F(completion_test, deferred)
{
    const auto smtp = ready();
    auto later = smtp->async_send(what(), asio::deferred);
    world->run();
    EXPECT_TRUE(smtp->is_open()) << "nothing begins before it is asked to";
    std::optional<report> got;
    std::move(later)([&](error_code ec, report r) {
        EXPECT_EQ(std::error_code(ec), unavailable);
        got = std::move(r);
    });
    world->run();
    ASSERT_TRUE(got);
    expect_all_of_it(*got);
}

TEST_F(completion_test, what_is_thrown_for_several_messages_has_them_all)
{
    const auto smtp = ready();
    std::future<std::vector<report>> future = smtp->async_send_all({what(), what()}, asio::use_future);
    world->run();
    try {
        future.get();
        FAIL() << "nothing was thrown";
    } catch (const send_error& e) {
        EXPECT_EQ(e.report().recipients.size(), 4u);
    }
}

TEST_F(completion_test, connecting_throws_its_own_report)
{
    client smtp = delivery::client_in(world, {});
    std::future<connect_report> future = smtp.async_connect(server("192.0.2.77"), asio::use_future);
    world->run();
    try {
        future.get();
        FAIL() << "nothing was thrown";
    } catch (const connect_error& e) {
        EXPECT_EQ(e.code(), make_error_code(error::unreachable));
        EXPECT_EQ(e.report().meaning, verdict::deferred);
        EXPECT_NE(std::string(e.what()).find("192.0.2.77"), std::string::npos);
    }
}

// Handlers run where their executor says.
TEST_F(completion_test, handlers_run_on_their_own_executor)
{
    const auto smtp = ready();
    asio::io_context elsewhere;
    bool called = false;
    auto done = [&](error_code, report) { called = true; };
    smtp->async_send(what(), asio::bind_executor(elsewhere.get_executor(), done));
    world->run();
    EXPECT_FALSE(called);
    elsewhere.run();
    EXPECT_TRUE(called);
}

} // namespace
} // namespace postrider
