// SPDX-License-Identifier: MIT
// app/daemon: three processes: one that waits, one that forks again, one that stays.
//
// The second is the leader of the new session, the third is not: only a leader can get a terminal by
// opening one.

#include "app/daemon.hpp"

#include "app/run_failure.hpp"
#include "app/standard_streams.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

namespace postrider::app {
namespace {

constexpr std::size_t report_octets_max = 16'384;

void write_all(int to, std::string_view octets) noexcept
{
    while (!octets.empty()) {
        const auto n = ::write(to, octets.data(), octets.size());
        if (n < 0 && errno != EINTR)
            return; // whoever waited has gone
        if (n > 0)
            octets.remove_prefix(static_cast<std::size_t>(n));
    }
}

std::string read_all(int from)
{
    std::string all;
    char piece[1024];
    while (all.size() < report_octets_max) {
        const auto n = ::read(from, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        all.append(piece, static_cast<std::size_t>(n));
    }
    return all;
}

/// "STATUS SENTENCE", as waiting_caller writes it; nothing at all from a process that died.
[[noreturn]] void end_as_told(int pipe, const std::string& program)
{
    const std::string report = read_all(pipe);
    int status = exit_software;
    const char* const last = report.data() + report.size();
    const auto [end, failed] = std::from_chars(report.data(), last, status);
    std::string_view sentence = "the daemon ended before it had started; its log may say why";
    if (failed == std::errc())
        sentence = std::string_view(report).substr(
            std::min(report.size(), static_cast<std::size_t>(end - report.data()) + 1));
    if (!sentence.empty())
        write_all(STDERR_FILENO, fmt::format("{}: {}\n", program, sentence));
    ::_exit(status);
}

run_failure cannot_fork(int why)
{
    return refusal_of_the_system(exit_os, "cannot start another process", why);
}

/// In the second process. What goes wrong here is told like any failure of the start.
void fork_again(waiting_caller& caller) noexcept
{
    try {
        if (::setsid() < 0)
            throw refusal_of_the_system(exit_os, "cannot leave the terminal", errno);
        const pid_t child = ::fork();
        if (child < 0)
            throw cannot_fork(errno);
        if (child > 0)
            ::_exit(exit_ok);
        if (!silence_standard_streams())
            throw refusal_of_the_system(exit_os, "cannot open /dev/null", errno);
    } catch (const run_failure& f) {
        caller.tell(f.status(), f.what());
        ::_exit(f.status());
    }
}

} // namespace

waiting_caller::~waiting_caller()
{
    if (waits())
        ::close(pipe_);
}

void waiting_caller::tell(int status, std::string_view sentence) noexcept
{
    if (!waits())
        return;
    write_all(pipe_, std::to_string(status) + ' ' + std::string(sentence.substr(0, report_octets_max / 2)));
    ::close(std::exchange(pipe_, -1));
}

waiting_caller become_daemon(asio::execution_context& loop, const std::string& program)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        throw refusal_of_the_system(exit_os, "cannot make a pipe", errno);
    std::fflush(nullptr); // or what is buffered would be written by each process
    loop.notify_fork(asio::execution_context::fork_prepare);
    const pid_t child = ::fork();
    if (child != 0) {
        const int why = errno;
        ::close(ends[1]);
        if (child > 0) {
            ::waitpid(child, nullptr, 0);
            end_as_told(ends[0], program);
        }
        ::close(ends[0]);
        loop.notify_fork(asio::execution_context::fork_parent);
        throw cannot_fork(why);
    }
    ::close(ends[0]);
    waiting_caller caller(ends[1]);
    fork_again(caller);
    loop.notify_fork(asio::execution_context::fork_child);
    return caller;
}

} // namespace postrider::app
