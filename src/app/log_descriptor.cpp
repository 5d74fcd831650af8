// SPDX-License-Identifier: MIT
// app/log_descriptor: lines of the log into a file descriptor, each with one write(2).

#include "app/log_descriptor.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <poll.h>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace postrider::app {

namespace {

constexpr spdlog::string_view_t own_prefix{"log", 3};
constexpr int full_pipe_milliseconds = 200;

// A descriptor that does not block (a terminal or a pipe that we share with somebody who wants it so)
// may be full for a moment.
bool becomes_writable(int descriptor)
{
    pollfd wanted{descriptor, POLLOUT, 0};
    return ::poll(&wanted, 1, full_pipe_milliseconds) > 0;
}

} // namespace

log_descriptor::log_descriptor(int descriptor, std::unique_ptr<spdlog::formatter> form,
                               std::atomic<std::uint64_t>& lost)
    : base_sink(std::move(form)), descriptor_(descriptor), lost_(lost)
{
}

void log_descriptor::sink_it_(const spdlog::details::log_msg& line)
{
    if (missing_ > 0) {
        if (const int why = say_what_is_missing(); why != 0)
            return note_lost(why);
        missing_ = 0;
    }
    if (const int why = write_line(line); why != 0)
        note_lost(why);
}

void log_descriptor::say(spdlog::level::level_enum level, std::string_view text)
{
    log(spdlog::details::log_msg(own_prefix, level, {text.data(), text.size()}));
}

int log_descriptor::say_what_is_missing()
{
    const auto text = fmt::format("{} could not be written: {}", base::counted(missing_, "line"),
                                  std::generic_category().message(why_missing_));
    return write_line(spdlog::details::log_msg(own_prefix, spdlog::level::warn, text));
}

int log_descriptor::write_line(const spdlog::details::log_msg& line)
{
    spdlog::memory_buf_t octets;
    if (torn_)
        octets.push_back('\n');
    formatter_->format(line, octets);
    return write_all({octets.data(), octets.size()});
}

int log_descriptor::write_all(std::string_view octets)
{
    while (!octets.empty()) {
        const auto written = ::write(descriptor_, octets.data(), octets.size());
        const int why = written < 0 ? errno : EIO;
        if (written > 0) {
            octets.remove_prefix(static_cast<std::size_t>(written));
            torn_ = !octets.empty();
            stuck_ = false;
        } else if (why == EAGAIN && !stuck_) {
            stuck_ = !becomes_writable(descriptor_);
        } else if (why != EINTR) {
            return why;
        }
    }
    return 0;
}

void log_descriptor::note_lost(int why)
{
    ++missing_;
    why_missing_ = why;
    lost_.fetch_add(1, std::memory_order_relaxed);
}

} // namespace postrider::app
