// SPDX-License-Identifier: MIT
// unit/net/unbound_events: the event base keeps to what libunbound expects of one.
#include "net/unbound_events.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <fcntl.h>
#include <functional>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <vector>

namespace postrider::net {
namespace {

using namespace std::chrono_literals;

/// Two connected sockets, and a libunbound's-eye view of one of them.
class unbound_events_test : public testing::Test {
protected:
    unbound_events_test() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0); }

    ~unbound_events_test() override
    {
        free_event();
        run();
        close_end(0);
        close_end(1);
    }

    void make_event(int descriptor, int bits)
    {
        ub_event_base* const base = events_.base();
        event_ = base->vmt->new_event(base, descriptor, static_cast<short>(bits), &on_event, this);
        ASSERT_NE(event_, nullptr);
        EXPECT_EQ(event_->magic, static_cast<unsigned long>(UB_EVENT_MAGIC));
    }

    int add() { return event_->vmt->add(event_, nullptr); }
    int add(std::chrono::milliseconds after)
    {
        timeval t = as_timeval(after);
        return event_->vmt->add(event_, &t);
    }
    int add_timer(std::chrono::milliseconds after)
    {
        timeval t = as_timeval(after);
        return event_->vmt->add_timer(event_, events_.base(), &on_event, this, &t);
    }
    void set_bits(short on, short off)
    {
        event_->vmt->del_bits(event_, off);
        event_->vmt->add_bits(event_, on);
    }
    bool refuses_signals()
    {
        return event_->vmt->add_signal(event_, nullptr) == -1 &&
               events_.base()->vmt->new_signal(events_.base(), SIGTERM, &on_event, this) == nullptr;
    }
    void del() { EXPECT_EQ(event_->vmt->del(event_), 0); }
    void free_event()
    {
        if (event_ != nullptr) {
            event_->vmt->free(event_);
            event_ = nullptr;
        }
    }

    static timeval as_timeval(std::chrono::milliseconds t)
    {
        return {t.count() / 1000, t.count() % 1000 * 1000};
    }

    /// Runs what is ready.
    void run()
    {
        io_.restart();
        io_.poll();
    }

    /// Runs until the callback has been called `times` times, then a little longer, in which it
    /// must not be called again.
    void run_until_called(std::size_t times)
    {
        const auto end = std::chrono::steady_clock::now() + 20s;
        io_.restart();
        while (seen_.size() < times && io_.run_one_until(end) != 0) {}
        io_.restart();
        io_.run_for(10ms);
        EXPECT_EQ(seen_.size(), times);
    }

    void say(char c = 'x') { EXPECT_EQ(::write(ends_[1], &c, 1), 1); }
    void hear()
    {
        char c = 0;
        EXPECT_EQ(::read(ends_[0], &c, 1), 1);
    }
    void close_end(std::size_t which)
    {
        if (ends_[which] >= 0) {
            ::close(ends_[which]);
            ends_[which] = -1;
        }
    }

    int ours() const { return ends_[0]; }
    int theirs() const { return ends_[1]; }

    std::vector<short> seen_;
    std::function<void(short)> then_ = [](short) {};

private:
    static void on_event(int, short bits, void* self)
    {
        auto& test = *static_cast<unbound_events_test*>(self);
        test.seen_.push_back(bits);
        const auto then = test.then_;
        then(bits);
    }

    boost::asio::io_context io_;
    unbound_events events_{boost::asio::make_strand(io_)};
    std::array<int, 2> ends_{-1, -1};
    ub_event* event_ = nullptr;
};

using bits = std::vector<short>;

TEST_F(unbound_events_test, a_timer_fires_once)
{
    make_event(-1, UB_EV_TIMEOUT);
    EXPECT_EQ(add_timer(1h), 0);
    run_until_called(0);
    EXPECT_EQ(add_timer(5ms), 0);
    run_until_called(1);
    EXPECT_EQ(seen_, bits{UB_EV_TIMEOUT});
}

TEST_F(unbound_events_test, a_timer_set_again_in_its_callback_fires_again)
{
    make_event(-1, UB_EV_TIMEOUT);
    then_ = [this](short) {
        if (seen_.size() < 3) {
            add_timer(1ms);
        }
    };
    add_timer(1ms);
    run_until_called(3);
}

TEST_F(unbound_events_test, a_timer_deleted_after_it_expired_does_not_fire)
{
    make_event(-1, UB_EV_TIMEOUT);
    add_timer(0ms);
    ::usleep(2000);
    del();
    run_until_called(0);
}

TEST_F(unbound_events_test, a_persistent_event_fires_while_there_is_something_to_read)
{
    make_event(ours(), UB_EV_READ | UB_EV_PERSIST);
    EXPECT_EQ(add(), 0);
    run();
    EXPECT_EQ(seen_, bits{});

    // Octets that the callback leaves unread are told again: libunbound reads a bounded number of
    // datagrams at a time and counts on it.
    say();
    then_ = [this](short) {
        if (seen_.size() == 3) {
            hear();
        }
    };
    run_until_called(3);
    EXPECT_EQ(seen_, (bits{UB_EV_READ, UB_EV_READ, UB_EV_READ}));
}

TEST_F(unbound_events_test, an_event_that_is_not_persistent_fires_once)
{
    make_event(ours(), UB_EV_READ);
    add();
    say();
    run_until_called(1);
    add();
    run_until_called(2);
    EXPECT_EQ(seen_, (bits{UB_EV_READ, UB_EV_READ}));
}

TEST_F(unbound_events_test, bits_may_change_while_an_event_is_off)
{
    make_event(ours(), UB_EV_READ | UB_EV_PERSIST);
    set_bits(UB_EV_WRITE, UB_EV_READ);
    then_ = [this](short) { del(); };
    add();
    run_until_called(1);
    EXPECT_EQ(seen_, bits{UB_EV_WRITE});
}

TEST_F(unbound_events_test, reading_and_writing_are_told_apart)
{
    make_event(ours(), UB_EV_READ | UB_EV_WRITE | UB_EV_PERSIST);
    say();
    then_ = [this](short) {
        if (seen_.size() == 2) {
            del();
        }
    };
    add();
    run_until_called(2);
    ASSERT_EQ(seen_.size(), 2u);
    EXPECT_EQ(seen_[0] + seen_[1], UB_EV_READ + UB_EV_WRITE);
}

TEST_F(unbound_events_test, a_time_limit_counts_from_the_last_activity)
{
    make_event(ours(), UB_EV_READ | UB_EV_TIMEOUT | UB_EV_PERSIST);
    std::vector<std::chrono::steady_clock::time_point> when;
    then_ = [&](short what) {
        when.push_back(std::chrono::steady_clock::now());
        if (what == UB_EV_READ) {
            hear();
        } else {
            del();
        }
    };
    add(400ms);
    ::usleep(50'000);
    say();
    run_until_called(2);
    ASSERT_EQ(seen_, (bits{UB_EV_READ, UB_EV_TIMEOUT}));
    EXPECT_GE(when[1] - when[0], 399ms);
}

TEST_F(unbound_events_test, a_persistent_event_times_out_again)
{
    make_event(ours(), UB_EV_READ | UB_EV_TIMEOUT | UB_EV_PERSIST);
    then_ = [this](short) {
        if (seen_.size() == 2) {
            del();
        }
    };
    add(2ms);
    run_until_called(2);
    EXPECT_EQ(seen_, (bits{UB_EV_TIMEOUT, UB_EV_TIMEOUT}));
}

TEST_F(unbound_events_test, an_event_may_be_freed_in_its_own_callback)
{
    make_event(ours(), UB_EV_READ | UB_EV_TIMEOUT | UB_EV_PERSIST);
    then_ = [this](short) { free_event(); };
    add(1h);
    say();
    run_until_called(1);
    EXPECT_EQ(seen_, bits{UB_EV_READ});
}

// The reactor finds both ready at once and queues both; the first to be called deletes the second.
TEST_F(unbound_events_test, an_event_that_was_ready_already_may_be_deleted)
{
    make_event(ours(), UB_EV_READ | UB_EV_TIMEOUT | UB_EV_PERSIST);
    then_ = [this](short) { del(); };
    add(0ms);
    say();
    ::usleep(2000);
    run_until_called(1);
}

// libunbound closes a descriptor between deleting and freeing its event, and the next socket gets
// the same number.
TEST_F(unbound_events_test, a_descriptor_is_forgotten_when_its_event_is_deleted)
{
    make_event(ours(), UB_EV_READ | UB_EV_PERSIST);
    add();
    run();
    del();
    EXPECT_EQ(::dup2(theirs(), ours()), ours()); // closes it, and takes its number
    free_event();
    EXPECT_NE(::fcntl(ours(), F_GETFD), -1);
    make_event(ours(), UB_EV_WRITE);
    EXPECT_EQ(add(), 0);
    run_until_called(1);
    EXPECT_EQ(seen_, bits{UB_EV_WRITE});
}

TEST_F(unbound_events_test, a_descriptor_that_cannot_be_watched_is_refused)
{
    make_event(1 << 20, UB_EV_READ | UB_EV_PERSIST);
    EXPECT_EQ(add(), -1);
    EXPECT_EQ(add(1h), -1);
    run_until_called(0);
}

TEST_F(unbound_events_test, signals_are_not_supported)
{
    make_event(-1, 0);
    EXPECT_TRUE(refuses_signals());
}

// Without the guard around callbacks this ends the test's process.
TEST_F(unbound_events_test, survives_a_broken_pipe)
{
    make_event(ours(), UB_EV_READ | UB_EV_PERSIST);
    int result = 0;
    then_ = [&](short) {
        result = static_cast<int>(::write(ours(), "x", 1));
        del();
    };
    add();
    close_end(1);
    run_until_called(1);
    EXPECT_EQ(seen_, bits{UB_EV_READ});
    EXPECT_EQ(result, -1);

    sigset_t pending;
    sigpending(&pending);
    EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    EXPECT_EQ(sigismember(&blocked, SIGPIPE), 0);
}

} // namespace
} // namespace postrider::net
