// SPDX-License-Identifier: MIT
// cli/terminal: escape sequences live here and nowhere else.

#include "cli/terminal.hpp"

#include <fmt/format.h>

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace postrider::cli {
namespace {

bool wants_colour(bool is_terminal)
{
    const char* const no_color = std::getenv("NO_COLOR");
    const char* const term = std::getenv("TERM");
    return is_terminal && (no_color == nullptr || *no_color == '\0') &&
           !(term != nullptr && std::string_view(term) == "dumb");
}

std::string_view code_of(colour c)
{
    switch (c) {
    case colour::good: return "\x1b[32m";
    case colour::bad: return "\x1b[31m";
    case colour::warning: return "\x1b[33m";
    case colour::faint: return "\x1b[2m";
    case colour::plain: break;
    }
    return "";
}

std::string time_left(double seconds)
{
    const auto s = static_cast<std::uint64_t>(std::clamp(seconds + 0.5, 0.0, 359'999.0));
    return s < 60 ? fmt::format("{} s", s) : fmt::format("{}:{:02} min", s / 60, s % 60);
}

} // namespace

terminal::terminal(std::FILE* to)
    : to_(to), terminal_(::isatty(::fileno(to)) == 1), colours_(wants_colour(terminal_))
{
}

unsigned terminal::width() const
{
    winsize size{};
    return ::ioctl(::fileno(to_), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string terminal::paint(std::string_view text, colour c) const
{
    if (!colours_ || c == colour::plain)
        return std::string(text);
    return fmt::format("{}{}\x1b[0m", code_of(c), text);
}

bool terminal::write(std::string_view text)
{
    return std::fwrite(text.data(), 1, text.size(), to_) == text.size() && std::fflush(to_) == 0;
}

std::string human_octets(std::uint64_t n)
{
    static constexpr std::array units{"KiB", "MiB", "GiB", "TiB"};
    if (n < 1024)
        return fmt::format("{} B", n);
    double value = static_cast<double>(n) / 1024;
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit)
        value /= 1024;
    return fmt::format("{:.1f} {}", value, units[unit]);
}

progress_bar::progress_bar(terminal& to, std::optional<std::uint64_t> octets_in_all, net::time_point now)
    : to_(to), in_all_(octets_in_all), begun_(now)
{
}

void progress_bar::show(std::uint64_t octets, bool ended, net::time_point now)
{
    constexpr std::chrono::milliseconds pause(100);
    if (!ended && shown_ && now - *shown_ < pause)
        return;
    shown_ = now;
    if (ended) {
        if (on_screen_)
            to_.write("\r\x1b[K");
        on_screen_ = false;
        return;
    }
    const double seconds = std::max(std::chrono::duration<double>(now - begun_).count(), 1e-3);
    const double rate = static_cast<double>(octets) / seconds;
    std::string line = human_octets(octets);
    if (in_all_ && *in_all_ > 0) {
        // Line ends and dots may make more of it on the wire than there was in the source.
        const double part = std::min(static_cast<double>(octets) / static_cast<double>(*in_all_), 1.0);
        line += fmt::format(" of {}, {}/s, {} left", human_octets(*in_all_),
                            human_octets(static_cast<std::uint64_t>(rate)),
                            time_left((1 - part) * static_cast<double>(*in_all_) / std::max(rate, 1.0)));
        const unsigned columns = std::clamp(
            to_.width() > line.size() + 6 ? to_.width() - static_cast<unsigned>(line.size()) - 6 : 0u, 0u,
            40u);
        if (columns >= 10) {
            const auto full = static_cast<unsigned>(part * columns);
            line = fmt::format("[{}{}] {}", std::string(full, '='), std::string(columns - full, ' '), line);
        }
    } else {
        line += fmt::format(", {}/s", human_octets(static_cast<std::uint64_t>(rate)));
    }
    to_.write("\r" + line + "\x1b[K");
    on_screen_ = true;
}

} // namespace postrider::cli
