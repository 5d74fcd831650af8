// SPDX-License-Identifier: MIT
// app/loop: calls, coroutines and the end, on a loop of its own, on the program's and in a simulation.

#include "postrider/app/loop.hpp"

#include "unit/app/service_stage.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace postrider::app {
namespace {

using test::service_stage;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;
using namespace std::chrono_literals;

asio::awaitable<void> sleep_and_note(loop& where, loop::duration how_long, std::vector<std::string>& notes)
{
    std::string how = "slept";
    try {
        co_await where.async_sleep(how_long);
    } catch (const boost::system::system_error& e) {
        how = e.code() == asio::error::operation_aborted ? "called off" : e.what();
    }
    notes.push_back(how);
}

asio::awaitable<void> fail(std::string text)
{
    throw std::runtime_error(text);
    co_return;
}

asio::awaitable<void> sleep_long(loop& where) { co_await where.async_sleep(24h); }

struct simulated_loop : testing::Test {
    service_stage stage;
    loop& here = stage.application.loop();
    std::vector<std::string> notes;

    std::function<void()> note(std::string what)
    {
        return [this, what = std::move(what)] { notes.push_back(what); };
    }
};

// ---- calls --------------------------------------------------------------------------------

TEST_F(simulated_loop, calls_at_their_time)
{
    here.call_later(3s, note("3"));
    here.call_later(1s, note("1"));
    here.call_later(-1s, note("at once"));
    here.call_soon(note("soon"));
    EXPECT_THAT(notes, IsEmpty());
    stage.run([&] { return notes.size() == 3; });
    EXPECT_THAT(notes, testing::UnorderedElementsAre("soon", "at once", "1"));
    EXPECT_EQ(stage.world->elapsed(), 1s);
    stage.run();
    EXPECT_EQ(notes.back(), "3");
}

TEST_F(simulated_loop, a_call_is_called_off)
{
    delayed_call call = here.call_later(1s, note("never"));
    EXPECT_TRUE(call.active());
    delayed_call same = call;
    call.cancel();
    EXPECT_FALSE(same.active());
    same.cancel();
    stage.run();
    EXPECT_THAT(notes, IsEmpty());
    EXPECT_EQ(stage.world->elapsed(), 0s) << "a call that was called off took time";
    EXPECT_FALSE(delayed_call().active());
    delayed_call().cancel();
}

TEST_F(simulated_loop, a_call_may_call_itself_off)
{
    delayed_call call;
    call = here.call_later(1s, [&] {
        EXPECT_FALSE(call.active());
        call.cancel();
        notes.push_back("called");
    });
    stage.run();
    EXPECT_THAT(notes, ElementsAre("called"));
}

TEST_F(simulated_loop, a_call_outlives_what_came_of_asking_for_it)
{
    static_cast<void>(here.call_later(1s, note("called")));
    stage.run();
    EXPECT_THAT(notes, ElementsAre("called"));
}

TEST_F(simulated_loop, longest_time_is_no_overflow)
{
    delayed_call call = here.call_later(loop::duration::max(), note("never"));
    here.call_later(1s, note("1"));
    stage.run();
    EXPECT_THAT(notes, ElementsAre("1"));
    EXPECT_TRUE(call.active());
    call.cancel();
    stage.run();
}

TEST_F(simulated_loop, exceptions_of_calls_are_logged_and_noted)
{
    here.call_later(1s, [] { throw std::runtime_error("no such row"); }, "rows");
    here.call_soon([] { throw 1; });
    here.call_later(2s, note("goes on"));
    stage.run();
    EXPECT_THAT(notes, ElementsAre("goes on"));
    EXPECT_THAT(stage.log, ElementsAre("[-] unhandled exception: int",
                                       "[rows] unhandled exception: std::runtime_error: no such row"));
    EXPECT_EQ(here.exit_status(), 70);
}

TEST_F(simulated_loop, a_flood_of_exceptions_is_no_flood_of_lines)
{
    for (int i = 0; i < 1000; ++i)
        here.call_soon([] { throw std::runtime_error("again and again"); });
    stage.run();
    EXPECT_LT(stage.log.size(), 40U); // 10 a second of the wall clock, which may tick meanwhile
    EXPECT_GE(stage.log.size(), 10U);
}

TEST_F(simulated_loop, the_first_failure_is_the_exit_status)
{
    EXPECT_EQ(here.exit_status(), 0);
    here.note_failure(0);
    here.note_failure(69);
    here.note_failure(70);
    EXPECT_EQ(here.exit_status(), 69);
}

// ---- coroutines ---------------------------------------------------------------------------

TEST_F(simulated_loop, runs_coroutines_and_logs_what_they_throw)
{
    here.spawn(sleep_and_note(here, 5s, notes));
    here.spawn(fail("broken"), "worker");
    stage.run();
    EXPECT_THAT(notes, ElementsAre("slept"));
    EXPECT_EQ(stage.world->elapsed(), 5s);
    EXPECT_THAT(stage.log, ElementsAre("[worker] unhandled exception: std::runtime_error: broken"));
    EXPECT_EQ(here.exit_status(), 70);
}

TEST_F(simulated_loop, sleeps_for_callbacks_too)
{
    here.async_sleep(2s, [&](error_code ec) { notes.push_back(ec ? "failed" : "woken"); });
    stage.run();
    EXPECT_THAT(notes, ElementsAre("woken"));
    EXPECT_EQ(stage.world->elapsed(), 2s);
}

TEST_F(simulated_loop, the_end_calls_everything_off)
{
    here.spawn(sleep_and_note(here, 1h, notes));
    here.spawn(sleep_long(here));
    const delayed_call call = here.call_later(1h, note("never"));
    stage.world->settle();
    here.stop();
    EXPECT_TRUE(here.stopping());
    stage.run();
    EXPECT_THAT(notes, ElementsAre("called off"));
    EXPECT_FALSE(call.active());
    EXPECT_EQ(stage.world->elapsed(), 0s);
    EXPECT_THAT(stage.log, IsEmpty()) << "being called off is no failure";
    EXPECT_EQ(here.exit_status(), 0);
}

TEST_F(simulated_loop, nothing_is_started_after_the_end)
{
    here.stop();
    stage.run();
    here.spawn(sleep_and_note(here, 1s, notes));
    EXPECT_FALSE(here.call_later(1s, note("never")).active());
    stage.run();
    EXPECT_THAT(notes, IsEmpty());
}

TEST_F(simulated_loop, a_coroutine_that_is_called_off_by_somebody_else_has_failed)
{
    asio::cancellation_signal enough;
    asio::steady_timer timer(stage.context, asio::steady_timer::time_point::max());
    here.spawn(timer.async_wait(net::use), "waits");
    stage.world->settle();
    timer.cancel();
    stage.run();
    EXPECT_THAT(stage.log,
                ElementsAre(HasSubstr("[waits] unhandled exception: boost::system::system_error")));
}

asio::awaitable<void> end_without_a_wait(loop_engine& engine)
{
    engine.end();
    co_return;
}

asio::awaitable<void> wait_after_the_end(loop& where)
{
    where.engine().end();
    co_await where.async_sleep(1h);
}

// Asio 1.81 lets an exception out of the event loop for some of these.
TEST(loop, a_coroutine_may_be_called_off_at_any_time)
{
    for (int when = 0; when < 4; ++when) {
        service_stage stage;
        loop& here = stage.application.loop();
        std::vector<std::string> notes;
        switch (when) {
        case 0: // before it has begun
            here.spawn(sleep_and_note(here, 1h, notes));
            here.engine().end();
            break;
        case 1: // by itself, and then it ends
            here.spawn(end_without_a_wait(here.engine()));
            break;
        case 2: // by itself, and then it waits
            here.spawn(wait_after_the_end(here));
            break;
        case 3: // while it waits
            here.spawn(sleep_and_note(here, 1h, notes));
            stage.world->settle();
            here.engine().end();
            break;
        }
        EXPECT_NO_THROW(stage.run()) << when;
        EXPECT_EQ(notes.size(), when == 3 ? 1U : 0U) << when;
        EXPECT_THAT(stage.log, IsEmpty()) << when;
        EXPECT_EQ(stage.world->elapsed(), 0s) << when;
    }
}

// ---- a loop of its own --------------------------------------------------------------------

TEST(loop, runs_without_work_until_it_is_stopped)
{
    loop own;
    bool called = false;
    std::thread other([&] {
        own.call_soon([&] { called = true; });
        own.stop(3);
        own.stop(4);
    });
    EXPECT_EQ(own.run(), 3);
    other.join();
    EXPECT_TRUE(called);
    EXPECT_TRUE(own.stopping());
    EXPECT_EQ(own.run(), 3) << "it has ended";
}

TEST(loop, calls_off_before_run_returns)
{
    loop own;
    std::vector<std::string> notes;
    own.spawn(sleep_and_note(own, 1h, notes));
    own.call_later(1h, [&] { notes.push_back("never"); });
    own.call_later(1ms, [&] { own.stop(); });
    EXPECT_EQ(own.run(), 0);
    EXPECT_THAT(notes, ElementsAre("called off"));
}

asio::awaitable<void> end_slowly(loop& where, int steps, bool& over)
{
    try {
        co_await where.async_sleep(1h);
    } catch (const boost::system::system_error&) {
    }
    co_await asio::this_coro::reset_cancellation_state();
    for (int i = 0; i < steps; ++i)
        co_await asio::post(where.get_executor(), net::use);
    over = true;
}

TEST(loop, waits_for_what_it_called_off)
{
    loop own;
    bool over = false;
    own.spawn(end_slowly(own, 100, over));
    own.call_later(1ms, [&] { own.stop(); });
    own.run();
    EXPECT_TRUE(over);
}

// Sleeps again whenever it is woken, as code that takes every error for a passing one.
asio::awaitable<void> never_end(loop& where)
{
    for (;;) {
        co_await asio::this_coro::reset_cancellation_state();
        try {
            co_await where.async_sleep(1h);
        } catch (const boost::system::system_error&) {
        }
    }
}

TEST(loop, does_not_wait_for_ever_for_what_it_called_off)
{
    service_stage stage; // for the log
    auto engine = std::make_shared<loop_engine>();
    engine->own = std::make_unique<asio::io_context>(1);
    engine->executor = engine->own->get_executor();
    const auto world = std::make_shared<test::sim_world>(*engine->own, 1);
    engine->set_world(world);
    loop own(engine);
    own.spawn(never_end(own));
    world->settle();
    own.stop();
    const auto left = [&] { return !stage.log.empty(); };
    EXPECT_TRUE(world->run(1h, left));
    EXPECT_EQ(world->elapsed(), 5s);
    EXPECT_THAT(stage.log, ElementsAre("[-] 1 coroutine did not end within 5 s of being called off"));
    engine->set_world(nullptr);
}

TEST(loop, can_be_left_with_work_undone)
{
    std::vector<std::string> notes;
    {
        loop own;
        own.spawn(sleep_and_note(own, 1h, notes));
        own.call_later(1h, [] {});
    }
    EXPECT_THAT(notes, IsEmpty());
}

TEST(loop, what_handlers_of_the_program_throw_is_logged_too)
{
    service_stage stage; // for the log
    loop own;
    asio::post(own.get_executor(), [] { throw std::runtime_error("raw"); });
    asio::post(own.get_executor(), [&] { own.stop(); });
    EXPECT_EQ(own.run(), 70);
    EXPECT_THAT(stage.log, ElementsAre("[-] unhandled exception: std::runtime_error: raw"));
}

TEST(loop, dns_servers_are_chosen_before_the_network_is_used)
{
    loop own;
    const delayed_call call = own.call_later(1h, [] {});
    own.dns_server("127.0.0.1:5300");
    EXPECT_THAT(own.engine().dns_servers, ElementsAre("127.0.0.1:5300"));
    own.engine().world();
    EXPECT_THROW(own.dns_server("127.0.0.1:5301"), std::logic_error);
}

// ---- on the program's own executor --------------------------------------------------------

TEST(loop, on_the_programs_executor_ends_without_ending_it)
{
    asio::io_context context;
    loop borrowed(context.get_executor());
    EXPECT_THAT([&] { borrowed.run(); },
                ThrowsMessage<std::logic_error>(HasSubstr("executor of the program's")));
    std::vector<std::string> notes;
    borrowed.spawn(sleep_and_note(borrowed, 1h, notes));
    borrowed.call_later(1h, [&] { notes.push_back("never"); });
    borrowed.call_soon([&] { borrowed.stop(); });
    context.run(); // returns: nothing of the loop's is left on it
    EXPECT_THAT(notes, ElementsAre("called off"));
    context.restart();
    asio::post(context, [&] { notes.push_back("the program goes on"); });
    context.run();
    EXPECT_EQ(notes.size(), 2U);
}

TEST(loop, that_is_gone_leaves_nothing_on_the_programs_executor)
{
    asio::io_context context;
    std::vector<std::string> notes;
    delayed_call call;
    {
        loop borrowed(context.get_executor());
        call = borrowed.call_later(1h, [&] { notes.push_back("never"); });
        borrowed.call_soon([&] { notes.push_back("never"); });
        borrowed.stop();
    }
    EXPECT_FALSE(call.active());
    call.cancel();
    context.run();
    EXPECT_THAT(notes, IsEmpty());
}

} // namespace
} // namespace postrider::app
