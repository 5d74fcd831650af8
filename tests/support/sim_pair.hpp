// SPDX-License-Identifier: MIT
#pragma once
// support/sim_pair: two streams, each the other's far end, in memory and without time.
//
// What is written at one end is read at the other, in pieces, through a window, and up to a cut. For what
// stands on a stream and is spoken to by another of its kind, as TLS is.

#include "net/asio.hpp"
#include "postrider/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace postrider::test {

/// How octets travel, in both directions.
struct sim_pair_rules {
    std::size_t piece_max = 64 * 1024; ///< octets that one read or write moves
    std::size_t window = 64 * 1024;    ///< octets on their way before a write waits
    bool knows_now = true;             ///< read_now() and write_now() do what they can

    /// So many octets from the first to the second, or from the second to the first, and then the end.
    std::optional<std::uint64_t> cut_up_after{}, cut_down_after{};
    bool cut_by_reset = false; ///< both directions, with an error; else that direction's end
};

struct sim_pair {
    std::unique_ptr<stream> first;  ///< peer(): "second.example"
    std::unique_ptr<stream> second; ///< peer(): "first.example"
};

sim_pair make_sim_pair(asio::any_io_executor executor, sim_pair_rules rules = {});

} // namespace postrider::test
