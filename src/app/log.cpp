// SPDX-License-Identifier: MIT
// app/log: what a program says about itself while it runs, one line at a time.

#include "postrider/app/log.hpp"

#include "app/log_hub.hpp"
#include "base/text.hpp"

#include <utility>

namespace postrider::app {

namespace {

constexpr std::size_t prefix_octets_max = 256;

} // namespace

std::string_view to_string(log_level level) noexcept
{
    switch (level) {
    case log_level::debug: return "debug";
    case log_level::info: return "info";
    case log_level::warning: return "warning";
    case log_level::error: return "error";
    }
    return "unknown";
}

logger::logger(std::string prefix)
    : prefix_(prefix.empty() ? std::string("-") : base::escaped(prefix, prefix_octets_max))
{
}

void logger::write(log_level level, std::string_view text) const { the_log().write(level, prefix_, text); }

void logger::limited(log_level level, std::string_view key, std::string_view text, unsigned burst) const
{
    the_log().write_limited(level, prefix_, key, text, burst);
}

void set_log_observer(std::function<void(const log_line&)> observer, log_level least)
{
    the_log().observe(std::move(observer), least);
}

} // namespace postrider::app
