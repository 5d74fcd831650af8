// SPDX-License-Identifier: MIT
// app/log_limits: how many lines of a kind were written in this second, for a bounded number of kinds.

#include "app/log_limits.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace postrider::app {

log_limits::answer log_limits::ask(std::string_view key, std::int64_t second, unsigned burst)
{
    auto& mine = kind_of(std::hash<std::string_view>{}(key), second);
    if (mine.second != second) {
        mine.second = second;
        mine.written = 0;
    }
    if (mine.written >= burst) {
        ++mine.left_out;
        return {false, 0};
    }
    ++mine.written;
    return {true, std::exchange(mine.left_out, 0)};
}

// The kind with this key, a free place for it, or the kind that is shared by all who found none.
log_limits::kind& log_limits::kind_of(std::size_t key, std::int64_t second)
{
    const auto used = [](const kind& k) { return k.second != never; };
    const auto same = [&](const kind& k) { return used(k) && k.key == key; };
    if (const auto found = std::find_if(kinds_.begin(), kinds_.end(), same); found != kinds_.end())
        return *found;
    const auto is_free = [&](const kind& k) {
        return k.second != second && (k.left_out == 0 || second - k.second > remembered_seconds);
    };
    const auto place = std::find_if(kinds_.begin(), kinds_.end(), is_free);
    if (place == kinds_.end())
        return others_;
    *place = kind{};
    place->key = key;
    return *place;
}

} // namespace postrider::app
