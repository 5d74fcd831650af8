// SPDX-License-Identifier: MIT
// app/log_form: how a line of the log is written: as text for people, or as JSON for programs.

#include "app/log_form.hpp"

#include "base/text.hpp"
#include "postrider/app/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace postrider::app {

namespace {

using spdlog::memory_buf_t;

void append(memory_buf_t& out, std::string_view octets)
{
    out.append(octets.data(), octets.data() + octets.size());
}

log_level level_of(const spdlog::details::log_msg& line) noexcept
{
    switch (line.level) {
    case spdlog::level::trace:
    case spdlog::level::debug: return log_level::debug;
    case spdlog::level::warn: return log_level::warning;
    case spdlog::level::err:
    case spdlog::level::critical: return log_level::error;
    default: return log_level::info;
    }
}

std::string_view view_of(spdlog::string_view_t text) noexcept { return {text.data(), text.size()}; }

// ---- text that fits ---------------------------------------------------------------------------

constexpr std::string_view ellipsis = "...";

bool is_plain(char c) noexcept { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// What stands for one code point, or for one octet that belongs to none. At most 15 octets come out for
// any code point that is not shown as it is, so that no std::string here allocates.
using unit_form = std::string (*)(std::string_view unit);

std::string unit_as_text(std::string_view unit)
{
    return unit == "\\" ? std::string(unit) : base::escaped(unit);
}

std::string unit_as_json(std::string_view unit)
{
    const auto point = base::first_code_point(unit);
    if (!point)
        return "\xef\xbf\xbd";
    if (unit == "\"" || unit == "\\")
        return std::string("\\").append(unit);
    // What is escaped as text is so here, but as JSON knows it. All of that is below U+10000.
    if (base::escaped(unit) != unit)
        return fmt::format("\\u{:04x}", static_cast<unsigned>(point->value));
    return std::string(unit);
}

// Appends `text` by units, none of them halved; where they do not fit, as many as leave room for an ellipsis.
void append_units(memory_buf_t& out, std::string_view text, std::size_t room, unit_form form)
{
    const std::size_t end = out.size() + room;
    const std::size_t end_if_cut = end - std::min(room, ellipsis.size());
    std::size_t cut = out.size();
    while (!text.empty()) {
        const auto plain_end = std::find_if_not(text.begin(), text.end(), is_plain);
        auto taken = text.substr(0, static_cast<std::size_t>(plain_end - text.begin()));
        if (!taken.empty()) {
            taken = taken.substr(0, end + 1 - out.size());
            if (out.size() <= end_if_cut)
                cut = std::min(out.size() + taken.size(), end_if_cut);
            append(out, taken);
        } else {
            const auto point = base::first_code_point(text);
            taken = text.substr(0, point ? point->size : 1);
            append(out, form(taken));
            if (out.size() <= end_if_cut)
                cut = out.size();
        }
        if (out.size() > end) {
            out.resize(cut);
            return append(out, ellipsis.substr(0, room));
        }
        text.remove_prefix(taken.size());
    }
}

// ---- the time, written once a second -----------------------------------------------------------

class written_second {
public:
    using breakdown = std::tm* (*)(const std::time_t*, std::tm*);

    written_second(breakdown of, const char* pattern) : breakdown_(of), pattern_(pattern) {}

    std::string_view text_of(std::chrono::system_clock::time_point when)
    {
        const auto second = std::chrono::system_clock::to_time_t(when);
        if (second_ != second) {
            std::tm parts{};
            breakdown_(&second, &parts);
            size_ = std::strftime(text_, sizeof text_, pattern_, &parts);
            second_ = second;
        }
        return {text_, size_};
    }

private:
    breakdown breakdown_;
    const char* pattern_;
    std::optional<std::time_t> second_;
    char text_[64] = {};
    std::size_t size_ = 0;
};

// ---- the two forms -----------------------------------------------------------------------------

class text_lines final : public spdlog::formatter {
public:
    explicit text_lines(log_frame frame) : frame_(frame) {}

    void format(const spdlog::details::log_msg& line, memory_buf_t& out) override
    {
        const std::size_t begin = out.size();
        if (frame_ == log_frame::whole) {
            append(out, second_.text_of(line.time));
            out.push_back(' ');
        }
        out.push_back('[');
        append_escaped(out, view_of(line.logger_name), log_line_octets_max / 8);
        append(out, "] ");
        if (const auto level = level_of(line); level != log_level::info) {
            append(out, to_string(level));
            append(out, ": ");
        }
        append_escaped(out, view_of(line.payload), log_line_octets_max - 1 - (out.size() - begin));
        if (frame_ == log_frame::whole)
            out.push_back('\n');
    }

    std::unique_ptr<formatter> clone() const override { return std::make_unique<text_lines>(*this); }

private:
    log_frame frame_;
    written_second second_{&localtime_r, "%Y-%m-%dT%H:%M:%S%z"};
};

class json_lines final : public spdlog::formatter {
public:
    explicit json_lines(log_frame frame) : frame_(frame) {}

    void format(const spdlog::details::log_msg& line, memory_buf_t& out) override
    {
        constexpr std::string_view end = "\"}\n";
        const std::size_t begin = out.size();
        append(out, R"({"time":")");
        append_time(line.time, out);
        append(out, R"(","level":")");
        append(out, to_string(level_of(line)));
        append(out, R"(","prefix":")");
        append_units(out, view_of(line.logger_name), log_line_octets_max / 8, unit_as_json);
        append(out, R"(","text":")");
        append_units(out, view_of(line.payload), log_line_octets_max - end.size() - (out.size() - begin),
                     unit_as_json);
        append(out, frame_ == log_frame::whole ? end : end.substr(0, end.size() - 1));
    }

    std::unique_ptr<formatter> clone() const override { return std::make_unique<json_lines>(*this); }

private:
    void append_time(std::chrono::system_clock::time_point when, memory_buf_t& out)
    {
        const auto second = std::chrono::floor<std::chrono::seconds>(when);
        const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(when - second).count();
        append(out, second_.text_of(second));
        fmt::format_to(fmt::appender(out), ".{:06}Z", rest);
    }

    log_frame frame_;
    written_second second_{&gmtime_r, "%Y-%m-%dT%H:%M:%S"};
};

} // namespace

std::unique_ptr<spdlog::formatter> text_form(log_frame frame) { return std::make_unique<text_lines>(frame); }

std::unique_ptr<spdlog::formatter> json_form(log_frame frame) { return std::make_unique<json_lines>(frame); }

void append_escaped(memory_buf_t& out, std::string_view text, std::size_t room)
{
    append_units(out, text, room, unit_as_text);
}

} // namespace postrider::app
