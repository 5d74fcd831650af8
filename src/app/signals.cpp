// SPDX-License-Identifier: MIT
// app/signals: Asio's handler, with a few lines of ours before it.

#include "app/signals.hpp"

#include "app/exit_status.hpp"

#include <boost/asio/bind_executor.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace postrider::app {
namespace {

constexpr unsigned patience_seconds = 1;

using disposition = void (*)(int);
std::atomic<int> stops_asked = 0;
std::atomic<disposition> asio_handler = nullptr; // the same for every signal
static_assert(std::atomic<disposition>::is_always_lock_free, "it is read in a signal handler");

void install(int number, disposition handler) noexcept
{
    struct sigaction action{};
    action.sa_handler = handler;
    sigfillset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
}

disposition installed(int number) noexcept
{
    struct sigaction action{};
    ::sigaction(number, nullptr, &action);
    return action.sa_handler;
}

// Only what is async-signal-safe: the loop is stuck, and may hold any lock.
extern "C" void end_at_once(int)
{
    constexpr std::string_view sentence = "asked to stop a second time: ending at once\n";
    (void)!::write(STDERR_FILENO, sentence.data(), sentence.size());
    ::_exit(exit_software);
}

extern "C" void count_and_pass_on(int number)
{
    const int error = errno;
    if (stops_asked.fetch_add(1) == 1) {
        install(SIGALRM, end_at_once);
        ::alarm(patience_seconds);
    }
    if (const disposition asio = asio_handler; asio != nullptr)
        asio(number);
    errno = error;
}

std::string_view name_of(int number) { return number == SIGINT ? "SIGINT" : "SIGTERM"; }

} // namespace

signals::signals(const asio::any_io_executor& executor, reactions what)
    : reactions_(std::move(what)), set_(executor)
{
    stops_asked = 0;
    install(SIGPIPE, SIG_IGN);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
        if (installed(number) == SIG_IGN && number != SIGTERM)
            continue;
        set_.add(number);
        if (number == SIGINT || number == SIGTERM) {
            asio_handler = installed(number);
            install(number, count_and_pass_on);
        }
    }
    wait();
}

// What Asio gives back is the default; an alarm that was set still ends a process that does not end.
signals::~signals() { install(SIGPIPE, SIG_DFL); }

void signals::wait()
{
    set_.async_wait([this](error_code failed, int number) {
        if (failed)
            return;
        react(number);
        wait();
    });
}

void signals::react(int number)
{
    if (number == SIGHUP)
        return reactions_.hangup();
    if (number == SIGUSR1)
        return reactions_.rotate();
    if (std::exchange(stopping_, true))
        return reactions_.force(name_of(number));
    reactions_.stop(name_of(number));
}

} // namespace postrider::app
