// SPDX-License-Identifier: MIT
#pragma once
// delivery/wait_for: an event loop that runs as long as its one operation, for callers who have none.

#include "net/asio.hpp"
#include "postrider/completion.hpp"

#include <boost/asio/io_context.hpp>

#include <cassert>
#include <exception>
#include <optional>
#include <utility>

namespace postrider::delivery {

// Not until the loop is out of work: a resolver keeps some for its own sake.
inline void run_until(asio::io_context& loop, const bool& over)
{
    loop.restart();
    while (!over && loop.run_one() > 0) {}
    assert(over); // an operation that has not ended is work
}

/// `start` begins an operation with the callback it is given. Its error is thrown, with the result.
template <class Result, class Start>
Result wait_for(asio::io_context& loop, Start start)
{
    bool over = false;
    error_code why;
    std::optional<Result> got;
    start([&](error_code ec, Result result) {
        over = true;
        why = ec;
        got.emplace(std::move(result));
    });
    run_until(loop, over);
    if (why)
        std::rethrow_exception(exception_for(why, *got));
    return *std::move(got);
}

} // namespace postrider::delivery
