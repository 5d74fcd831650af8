// SPDX-License-Identifier: MIT
#pragma once
// app/log_limits: how many lines of a kind were written in this second, for a bounded number of kinds.
//
// A second is one of the wall clock, so that up to two bursts may come close together: enough to keep a
// flood out of a disk, which is all it is for. Keys that come when there is no place share one limit, so
// that more of them do not lift it. A place is free when its second is over and nothing is to be told of
// what was left out; nobody having asked for an hour, that is forgotten.
// Not for two threads: the hub has a lock.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postrider::app {

class log_limits {
public:
    struct answer {
        bool written;           ///< may it be?
        std::uint64_t left_out; ///< how many of its kind were not, since one was; said with this one
    };

    answer ask(std::string_view key, std::int64_t second, unsigned burst);

    static constexpr std::size_t kinds_max = 128;
    static constexpr std::int64_t remembered_seconds = 3600;

private:
    struct kind {
        std::size_t key = 0; // its hash; two keys of one hash share a limit
        std::int64_t second = never;
        unsigned written = 0;
        std::uint64_t left_out = 0;
    };
    static constexpr std::int64_t never = INT64_MIN;

    kind& kind_of(std::size_t key, std::int64_t second);

    std::array<kind, kinds_max> kinds_;
    kind others_; // whose keys found no room
};

} // namespace postrider::app
