// SPDX-License-Identifier: MIT
// app/log_hub: where all loggers of the process meet: the level, the observer or the sink, and one lock.

#include "app/log_hub.hpp"

#include "app/log_file.hpp"
#include "app/log_form.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/syslog_sink.h>

#include <filesystem>
#include <string>
#include <syslog.h>
#include <unistd.h>
#include <utility>

namespace postrider::app {

namespace {

std::unique_ptr<spdlog::formatter> form_for(const log_destination& where)
{
    const auto frame = where.what == log_destination::kind::syslog ? log_frame::for_syslog : log_frame::whole;
    return where.json ? json_form(frame) : text_form(frame);
}

using any_sink = std::shared_ptr<spdlog::sinks::sink>;

any_sink standard_sink(const log_destination& where, std::atomic<std::uint64_t>& lost)
{
    const bool output = where.what == log_destination::kind::standard_output;
    return std::make_shared<log_descriptor>(output ? STDOUT_FILENO : STDERR_FILENO, form_for(where), lost);
}

any_sink syslog_sink(const log_destination& where)
{
    auto sink = std::make_shared<spdlog::sinks::syslog_sink_st>(where.syslog_prefix, LOG_PID | LOG_NDELAY,
                                                                LOG_MAIL, true);
    sink->set_formatter(form_for(where));
    return sink;
}

spdlog::level::level_enum level_of(log_level level) noexcept
{
    switch (level) {
    case log_level::debug: return spdlog::level::debug;
    case log_level::info: return spdlog::level::info;
    case log_level::warning: return spdlog::level::warn;
    case log_level::error: return spdlog::level::err;
    }
    return spdlog::level::info;
}

spdlog::string_view_t view_of(std::string_view text) noexcept { return {text.data(), text.size()}; }

std::int64_t second_of(std::chrono::system_clock::time_point when) noexcept
{
    return std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count();
}

// Set while this thread is in the hub: an observer that logs would wait for itself for ever.
thread_local bool inside = false;

struct staying_inside {
    staying_inside() noexcept { inside = true; }
    ~staying_inside() { inside = false; }
    staying_inside(const staying_inside&) = delete;
    staying_inside& operator=(const staying_inside&) = delete;
};

} // namespace

log_hub::log_hub() : sink_(standard_sink({}, lost_)) {}

// Whatever goes wrong while a line is written (no memory, an observer that throws) costs that line.
template <class Work>
void log_hub::alone(Work work) noexcept
{
    if (inside) {
        lost_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    const staying_inside mark;
    try {
        const std::lock_guard lock(mutex_);
        work();
    } catch (...) {
        lost_.fetch_add(1, std::memory_order_relaxed);
    }
}

void log_hub::write(log_level level, std::string_view prefix, std::string_view text) noexcept
{
    if (wants(level))
        alone([&] { put(std::chrono::system_clock::now(), level, prefix, text); });
}

void log_hub::write_limited(log_level level, std::string_view prefix, std::string_view key,
                            std::string_view text, unsigned burst) noexcept
{
    if (!wants(level))
        return;
    alone([&] {
        const auto now = std::chrono::system_clock::now();
        const auto answer = limits_.ask(key, second_of(now), burst);
        if (!answer.written)
            return;
        put(now, level, prefix, text);
        if (answer.left_out > 0)
            put(now, level, prefix,
                fmt::format("{} like this {} left out", base::counted(answer.left_out, "line"),
                            answer.left_out == 1 ? "was" : "were"));
    });
}

void log_hub::put(time_point when, log_level level, std::string_view prefix, std::string_view text)
{
    if (observer_)
        return tell_observer(when, level, prefix, text);
    sink_->log(spdlog::details::log_msg(when, {}, view_of(prefix), level_of(level), view_of(text)));
}

void log_hub::tell_observer(time_point when, log_level level, std::string_view prefix, std::string_view text)
{
    spdlog::memory_buf_t escaped;
    append_escaped(escaped, text, log_line_octets_max);
    observer_({when, level, prefix, {escaped.data(), escaped.size()}});
}

void log_hub::observe(observer who, log_level least)
{
    const std::lock_guard lock(mutex_);
    observer_.swap(who);
    least_ = observer_ ? least : sink_least_;
}

void log_hub::open(const log_destination& where)
{
    using kind = log_destination::kind;
    std::shared_ptr<log_file> file;
    if (where.what == kind::file) {
        auto path = std::filesystem::absolute(where.path).string();
        auto opened = open_for_log(path);
        file = std::make_shared<log_file>(std::move(path), std::move(opened), form_for(where), lost_);
    }
    any_sink sink = file ? file : standard_sink(where, lost_);

    const std::lock_guard lock(mutex_);
    sink_ = std::move(sink);
    file_ = std::move(file);
    // Not before the old sink is gone: syslog has one state for the process, which its closelog(3) ends.
    if (where.what == kind::syslog)
        sink_ = syslog_sink(where);
    sink_least_ = where.least;
    if (!observer_)
        least_ = where.least;
}

bool log_hub::reopen()
{
    const std::lock_guard lock(mutex_);
    return file_ && file_->reopen();
}

bool log_hub::rotate()
{
    const std::lock_guard lock(mutex_);
    return file_ && file_->rotate();
}

void log_hub::give_to(uid_t user, gid_t group)
{
    const std::lock_guard lock(mutex_);
    if (file_)
        file_->give_to(user, group);
}

log_hub& the_log() noexcept
{
    static log_hub& hub = *new log_hub;
    return hub;
}

} // namespace postrider::app
