// SPDX-License-Identifier: MIT
// net/unbound_events: one object an event, with a descriptor, a timer, or both.

#include "net/unbound_events.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <ctime>
#include <exception>
#include <memory>
#include <optional>
#include <signal.h>
#include <sys/time.h>
#include <utility>

namespace postrider::net {

namespace {

// libunbound writes to TCP connections without MSG_NOSIGNAL, and a server may close one at any
// time. Without this, such a server ends our process (unbound_events_test.survives_a_broken_pipe).
// The signal is kept from this thread for the length of a callback and taken away if it came; the
// program's own disposition for SIGPIPE is not touched.
class broken_pipe_guard {
public:
    broken_pipe_guard() noexcept
    {
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        blocked_ = pthread_sigmask(SIG_BLOCK, &pipe_, &before_) == 0 && sigismember(&before_, SIGPIPE) == 0;
    }

    ~broken_pipe_guard()
    {
        if (blocked_) {
            const timespec at_once{};
            sigtimedwait(&pipe_, nullptr, &at_once);
            pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        }
    }

    broken_pipe_guard(const broken_pipe_guard&) = delete;
    broken_pipe_guard& operator=(const broken_pipe_guard&) = delete;

private:
    sigset_t pipe_;
    sigset_t before_;
    bool blocked_ = false;
};

using callback_type = void (*)(int, short, void*);

// One event of libunbound's. It is shared between libunbound (kept_, until it frees the event) and
// the waits that Asio has not completed yet.
class event final : public ub_event, public std::enable_shared_from_this<event> {
public:
    event(asio::any_io_executor strand, int descriptor, short bits, callback_type callback, void* argument)
        : ub_event{UB_EVENT_MAGIC, &methods_}, strand_(std::move(strand)), descriptor_(descriptor),
          bits_(bits), callback_(callback), argument_(argument)
    {
    }

    static ub_event* create(std::shared_ptr<event> e) noexcept
    {
        e->kept_ = e;
        return e.get();
    }

private:
    using direction = asio::posix::stream_descriptor::wait_type;

    static event& of(ub_event* e) noexcept { return *static_cast<event*>(e); }

    static void add_bits(ub_event* e, short bits) noexcept { of(e).bits_ |= bits; }
    static void del_bits(ub_event* e, short bits) noexcept
    {
        of(e).bits_ = static_cast<short>(of(e).bits_ & ~bits);
    }
    static void set_descriptor(ub_event* e, int descriptor) noexcept { of(e).descriptor_ = descriptor; }
    static void free(ub_event* e) noexcept;
    static int add(ub_event* e, timeval* after) noexcept { return of(e).activate(after) ? 0 : -1; }
    static int del(ub_event* e) noexcept;
    static int add_timer(ub_event* e, ub_event_base*, callback_type callback, void* argument,
                         timeval* after) noexcept;
    static int add_signal(ub_event*, timeval*) noexcept { return -1; }
    static int del_signal(ub_event*) noexcept { return -1; }
    static void unregister_wsaevent(ub_event*) noexcept {}
    static void tcp_wouldblock(ub_event*, int) noexcept {}

    bool activate(const timeval* after) noexcept;
    void deactivate() noexcept;
    bool watch();
    void wait_for(direction which, short bit);
    void wait_for_time();
    void on_ready(direction which, short bit, unsigned round, error_code error);
    void on_time(unsigned tick);
    bool persists() const noexcept { return (bits_ & UB_EV_PERSIST) != 0; }

    static ub_event_vmt methods_;

    asio::any_io_executor strand_;
    int descriptor_;
    short bits_;
    callback_type callback_;
    void* argument_;
    std::shared_ptr<event> kept_;

    std::optional<asio::posix::stream_descriptor> watched_;
    std::optional<asio::steady_timer> timer_;
    std::optional<std::chrono::microseconds> after_;

    // A wait that Asio has completed already, but whose handler is still queued, cannot be
    // cancelled any more. It knows itself to be stale by these counts.
    unsigned round_ = 0; ///< of activations
    unsigned tick_ = 0;  ///< of waits for the timer
};

ub_event_vmt event::methods_ = {
    add_bits,   del_bits,   set_descriptor,      free,           add, del, add_timer, del,
    add_signal, del_signal, unregister_wsaevent, tcp_wouldblock,
};

void event::free(ub_event* e) noexcept
{
    event& self = of(e);
    self.deactivate();
    const auto last = std::move(self.kept_);
}

int event::del(ub_event* e) noexcept
{
    of(e).deactivate();
    return 0;
}

int event::add_timer(ub_event* e, ub_event_base*, callback_type callback, void* argument,
                     timeval* after) noexcept
{
    event& self = of(e);
    self.deactivate();
    self.descriptor_ = -1;
    self.bits_ = UB_EV_TIMEOUT;
    self.callback_ = callback;
    self.argument_ = argument;
    return self.activate(after) ? 0 : -1;
}

// Called from C: what goes wrong here (memory, a descriptor that epoll does not take) is told by
// the return value, and must not pass through libunbound as an exception.
bool event::activate(const timeval* after) noexcept
try {
    deactivate();
    after_.reset();
    if (after != nullptr) {
        after_ = std::chrono::seconds(after->tv_sec) + std::chrono::microseconds(after->tv_usec);
        wait_for_time();
    }
    if (!watch()) {
        deactivate();
        return false;
    }
    return true;
} catch (const std::exception&) {
    deactivate();
    return false;
}

// libunbound closes a descriptor after it has deactivated the event and before it frees it, and the
// number may be in use again at once. So Asio must forget the descriptor here, not in free().
void event::deactivate() noexcept
{
    ++round_;
    ++tick_;
    if (watched_ && watched_->is_open()) {
        watched_->release();
    }
    if (timer_) {
        timer_->cancel();
    }
}

bool event::watch()
{
    if (descriptor_ < 0 || (bits_ & (UB_EV_READ | UB_EV_WRITE)) == 0) {
        return true;
    }
    if (!watched_) {
        watched_.emplace(strand_);
    }
    error_code error;
    watched_->assign(descriptor_, error);
    if (error) {
        return false;
    }
    if ((bits_ & UB_EV_READ) != 0) {
        wait_for(direction::wait_read, UB_EV_READ);
    }
    if ((bits_ & UB_EV_WRITE) != 0) {
        wait_for(direction::wait_write, UB_EV_WRITE);
    }
    return true;
}

void event::wait_for(direction which, short bit)
{
    watched_->async_wait(which, [self = shared_from_this(), which, bit, round = round_](error_code error) {
        self->on_ready(which, bit, round, error);
    });
}

void event::wait_for_time()
{
    if (!timer_) {
        timer_.emplace(strand_);
    }
    timer_->expires_after(*after_);
    timer_->async_wait([self = shared_from_this(), tick = ++tick_](error_code) { self->on_time(tick); });
}

void event::on_ready(direction which, short bit, unsigned round, error_code error)
{
    if (round != round_) {
        return;
    }
    if (!persists()) {
        deactivate();
    } else if (after_) {
        wait_for_time(); // the time limit of a persistent event counts from its last activity
    }
    {
        const broken_pipe_guard guard;
        callback_(descriptor_, bit, argument_);
    }
    // After an error there is nothing to wait for: the callback has seen the descriptor, and another
    // wait would fail at once, for ever.
    if (round == round_ && !error) {
        wait_for(which, bit);
    }
}

void event::on_time(unsigned tick)
{
    if (tick != tick_) {
        return;
    }
    if (persists()) {
        wait_for_time();
    } else {
        deactivate();
    }
    const broken_pipe_guard guard;
    callback_(descriptor_, UB_EV_TIMEOUT, argument_);
}

// What libunbound does not call while it is driven through ub_resolve_event(), but wants to see.
void free_nothing(ub_event_base*) noexcept {}
int dispatch_nothing(ub_event_base*) noexcept { return -1; }
int exit_nothing(ub_event_base*, timeval*) noexcept { return -1; }
ub_event* no_signal(ub_event_base*, int, callback_type, void*) noexcept { return nullptr; }
ub_event* no_wsaevent(ub_event_base*, void*, callback_type, void*) noexcept { return nullptr; }

} // namespace

ub_event_base_vmt unbound_events::methods_ = {
    free_nothing, dispatch_nothing, exit_nothing, new_event, no_signal, no_wsaevent,
};

unbound_events::unbound_events(asio::any_io_executor strand)
    : ub_event_base{UB_EVENT_MAGIC, &methods_}, strand_(std::move(strand))
{
}

ub_event* unbound_events::new_event(ub_event_base* base, int descriptor, short bits, callback_type callback,
                                    void* argument) noexcept
try {
    const auto& strand = static_cast<unbound_events*>(base)->strand_;
    return event::create(std::make_shared<event>(strand, descriptor, bits, callback, argument));
} catch (const std::exception&) {
    return nullptr;
}

} // namespace postrider::net
