// SPDX-License-Identifier: MIT
// app/client_service: one connection, kept, and those who wait for it.

#include "postrider/app/client_service.hpp"

#include "postrider/error.hpp"
#include "support/sim_script.hpp"
#include "unit/app/noted_factory.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace postrider::app {
namespace {

using namespace std::chrono_literals;
using kind = test::sim_place::kind;
using test::noted_protocol;
using test::sim_script;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class plain_factory : public factory {
public:
    explicit plain_factory(test::script_of_protocols& script) : script_(script) {}
    std::shared_ptr<protocol> build_protocol(const std::string&) override
    {
        return std::make_shared<noted_protocol>(script_);
    }
    void started() override { script_.notes.emplace_back("started"); }
    void stopped() override { script_.notes.emplace_back("stopped"); }
    std::string log_prefix() const override { return "makes"; }

private:
    test::script_of_protocols& script_;
};

// What one who waits has got.
struct got {
    bool over = false;
    std::shared_ptr<protocol> connected;
    std::exception_ptr thrown;
    asio::cancellation_signal stop;

    std::error_code error() const
    {
        try {
            if (thrown)
                std::rethrow_exception(thrown);
        } catch (const std::system_error& e) {
            return e.code();
        } catch (const boost::system::system_error& e) {
            return e.code();
        } catch (...) {
        }
        return {};
    }
};

class client_service_test : public testing::Test {
protected:
    void put(kind what, std::vector<sim_script::step> conversation = {})
    {
        test::sim_place place;
        place.what = what;
        place.server = [conversation] { return std::make_shared<sim_script>(conversation); };
        stage.world->put("192.0.2.1:25", place);
    }

    void make(backoff waits = backoff(1s, 2.0, 8s))
    {
        service = stage.application.emplace<client_service>("192.0.2.1", 25,
                                                            std::make_shared<plain_factory>(script), waits);
    }

    void ask(got& into, std::optional<unsigned> failures_max = std::nullopt)
    {
        asio::co_spawn(stage.context, service->when_connected(failures_max),
                       asio::bind_cancellation_slot(
                           into.stop.slot(), [&into](std::exception_ptr thrown, std::shared_ptr<protocol> p) {
                               into.over = true;
                               into.thrown = thrown;
                               into.connected = std::move(p);
                           }));
        stage.world->settle();
    }

    void pass(net::clock::duration time)
    {
        stage.world->at(stage.world->now() + time, [] {}); // time goes on even if nobody waits
        stage.world->run(time, [] { return false; });
    }
    std::size_t attempts() const { return stage.world->connects().size(); }

    test::service_stage stage;
    test::script_of_protocols script;
    std::shared_ptr<client_service> service;
};

TEST_F(client_service_test, gives_its_connection_to_all_who_wait)
{
    put(kind::listens);
    make();
    got before, meanwhile, after;
    ask(before);
    EXPECT_FALSE(before.over) << "it waits for the start";
    stage.application.start();
    ask(meanwhile, 1);
    pass(1s);
    EXPECT_TRUE(before.over && meanwhile.over);
    ASSERT_TRUE(before.connected);
    EXPECT_EQ(before.connected, meanwhile.connected);
    ask(after);
    EXPECT_TRUE(after.over) << "at once";
    EXPECT_EQ(after.connected, before.connected);
    EXPECT_NE(dynamic_cast<plain_factory*>(&after.connected->factory()), nullptr);
    stage.stop();
    EXPECT_THAT(script.notes,
                ElementsAre("started", "made", "stop", "lost: the connection was closed", "stopped"));
    EXPECT_THAT(stage.log, ElementsAre());
}

TEST_F(client_service_test, connects_again_and_again)
{
    put(kind::refuses);
    make();
    stage.application.start();
    got one;
    ask(one);
    pass(200s);
    EXPECT_FALSE(one.over);
    EXPECT_GT(attempts(), 20u);
    EXPECT_LT(attempts(), 120u);
    EXPECT_THAT(stage.log.back(), StartsWith("[makes] cannot connect to 192.0.2.1:25: Connection refused; "
                                             "connecting again in "));
    put(kind::listens);
    pass(8'010ms);
    ASSERT_TRUE(one.connected);
    one.connected->transport().lose_connection();
    pass(1ms);
    got next;
    ask(next);
    EXPECT_FALSE(next.over) << "the last one's connection is gone";
    pass(1'010ms);
    EXPECT_TRUE(next.connected) << "the waits start anew";
    EXPECT_NE(next.connected, one.connected);
    EXPECT_EQ(stage.application.services().size(), 1u);
    stage.stop();
    const std::size_t then = attempts();
    pass(100s);
    EXPECT_EQ(attempts(), then);
}

TEST_F(client_service_test, who_waits_may_lose_patience)
{
    put(kind::refuses);
    make();
    stage.application.start();
    got one, three, never;
    ask(one, 1);
    ask(three, 3);
    ask(never);
    stage.run([&] { return one.over; });
    EXPECT_EQ(attempts(), 1u);
    EXPECT_EQ(one.error(), error::unreachable);
    EXPECT_FALSE(three.over);
    stage.run([&] { return three.over; });
    EXPECT_EQ(attempts(), 3u);
    EXPECT_EQ(three.error(), error::unreachable);
    got late;
    ask(late, 1);
    EXPECT_FALSE(late.over) << "failures count from now on";
    stage.run([&] { return late.over; });
    EXPECT_EQ(attempts(), 4u);
    EXPECT_FALSE(never.over);
    got none;
    ask(none, 0);
    EXPECT_TRUE(none.over && none.thrown);
    stage.stop();
    EXPECT_EQ(never.error(), error::cancelled);
}

TEST_F(client_service_test, who_waits_may_be_cancelled)
{
    put(kind::silent);
    make();
    stage.application.start();
    got one, other;
    ask(one);
    ask(other);
    one.stop.emit(asio::cancellation_type::all);
    stage.world->settle();
    EXPECT_TRUE(one.over);
    EXPECT_EQ(one.error(), std::error_code(error_code(asio::error::operation_aborted)));
    EXPECT_FALSE(other.over);
    stage.stop();
    EXPECT_TRUE(other.over);
    EXPECT_EQ(other.error(), error::cancelled);
}

TEST_F(client_service_test, preparation_comes_before_anybody_gets_it)
{
    put(kind::listens, {{"EHLO", "250 fine"}});
    make();
    bool greeted = false;
    script.when_data = [&](protocol&) { greeted = true; };
    service->prepare_connection([&](std::shared_ptr<protocol> p) -> eventually<void> {
        p->transport().write("EHLO");
        return [](loop& where, bool& until) -> asio::awaitable<void> {
            while (!until)
                co_await where.async_sleep(10ms, net::use);
        }(p->loop(), greeted);
    });
    stage.application.start();
    got one;
    ask(one);
    stage.run([&] { return one.over; });
    EXPECT_TRUE(one.connected);
    EXPECT_TRUE(greeted);
    stage.stop();
}

TEST_F(client_service_test, preparation_may_refuse)
{
    put(kind::listens);
    make();
    int prepared = 0;
    service->prepare_connection([&](std::shared_ptr<protocol> p) -> eventually<void> {
        if (++prepared == 1)
            throw std::runtime_error("not this one");
        if (prepared == 2)
            return [](loop& where) -> asio::awaitable<void> {
                co_await where.async_sleep(10ms, net::use);
                throw std::runtime_error("nor this one");
            }(p->loop());
        return {};
    });
    stage.application.start();
    got first, second, third;
    ask(first, 1);
    ask(second, 2);
    ask(third);
    stage.run([&] { return third.over; });
    EXPECT_THROW(std::rethrow_exception(first.thrown), std::runtime_error);
    EXPECT_THROW(std::rethrow_exception(second.thrown), std::runtime_error);
    EXPECT_TRUE(third.connected);
    EXPECT_EQ(attempts(), 3u);
    EXPECT_EQ(stage.world->open_connections(), 1u);
    ASSERT_EQ(stage.log.size(), 2u);
    EXPECT_THAT(stage.log[0],
                StartsWith("[makes] preparing the connection failed: std::runtime_error: not this one; "
                           "connecting again in "));
    stage.stop();
}

TEST_F(client_service_test, preparation_ends_with_the_connection)
{
    put(kind::listens, {{"EHLO", "", true}});
    make();
    int cancelled = 0;
    service->prepare_connection([&](std::shared_ptr<protocol> p) -> eventually<void> {
        p->transport().write("EHLO");
        return [](loop& where, int& count) -> asio::awaitable<void> {
            try {
                co_await where.async_sleep(24h, net::use);
            } catch (const boost::system::system_error&) {
                ++count;
                throw;
            }
        }(p->loop(), cancelled);
    });
    stage.application.start();
    got one;
    ask(one, 1);
    stage.run([&] { return one.over; });
    EXPECT_EQ(one.error(), error::connection_lost) << "closed before it was of use";
    EXPECT_EQ(cancelled, 1);
    put(kind::listens);
    pass(10s);
    stage.stop();
    EXPECT_EQ(cancelled, 2) << "and with the service";
}

TEST_F(client_service_test, stops_in_each_of_its_states)
{
    enum class state { connecting, waiting, of_use };
    for (const state where : {state::connecting, state::waiting, state::of_use}) {
        SCOPED_TRACE(static_cast<int>(where));
        put(where == state::connecting ? kind::silent
            : where == state::waiting  ? kind::refuses
                                       : kind::listens);
        if (!service)
            make(backoff(1h, 1.0, 1h));
        stage.application.start();
        pass(100ms);
        got one;
        ask(one);
        EXPECT_EQ(one.over, where == state::of_use);
        stage.stop();
        EXPECT_TRUE(one.over);
        EXPECT_EQ(stage.world->open_connections(), 0u);
        EXPECT_EQ(stage.world->open_waits(), 0u);
        EXPECT_EQ(script.notes.back(), "stopped");
        got late;
        ask(late);
        EXPECT_EQ(late.error(), error::cancelled);
    }
}

TEST_F(client_service_test, is_stopped_where_its_connection_is_told)
{
    put(kind::listens, {{"", "hello"}});
    make();
    for (auto* where : {&script.when_made, &script.when_data, &script.when_lost}) {
        *where = [](protocol& p) { p.loop().stop(); };
        break;
    }
    stage.application.start();
    stage.run();
    EXPECT_FALSE(stage.application.running());
    EXPECT_EQ(stage.world->open_connections(), 0u);
    EXPECT_EQ(script.notes.back(), "stopped");
}

TEST_F(client_service_test, connects_as_the_program_wants)
{
    put(kind::listens);
    std::size_t made = 0;
    service = stage.application.emplace<client_service>(
        [&made](std::shared_ptr<client_factory> with) -> std::shared_ptr<stream_client> {
            if (++made == 1)
                throw std::runtime_error("no host today");
            if (made == 2)
                return nullptr;
            return std::make_shared<tcp_client>("192.0.2.1", 25, std::move(with));
        },
        std::make_shared<plain_factory>(script), backoff(1s, 1.0, 1s));
    stage.application.start();
    got one, first;
    ask(one);
    ask(first, 1);
    pass(3s);
    EXPECT_TRUE(one.connected);
    EXPECT_TRUE(first.thrown);
    EXPECT_THAT(stage.log.front(), "[makes] unhandled exception: std::runtime_error: no host today");
    stage.stop();
}

TEST_F(client_service_test, one_that_is_gone_leaves_nothing)
{
    put(kind::listens);
    got one;
    {
        app::application another("other", engine_in(stage.world));
        service = another.emplace<client_service>("192.0.2.2", 25, std::make_shared<plain_factory>(script));
        another.start();
        ask(one);
        pass(5ms);
        service.reset();
    }
    stage.run();
    EXPECT_EQ(one.error(), error::cancelled);
    EXPECT_EQ(stage.world->open_connections(), 0u);
}

} // namespace
} // namespace postrider::app
