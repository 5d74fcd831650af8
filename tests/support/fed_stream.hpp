// SPDX-License-Identifier: MIT
#pragma once
// support/fed_stream: a stream whose other end is the test: what it says comes in the pieces in which it
// is said, what it is told is kept.

#include "net/complete.hpp"
#include "postrider/stream.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace postrider::test {

/// The test's end.
struct feeder {
    explicit feeder(asio::any_io_executor on) : executor(std::move(on)) {}

    void say(std::string_view piece)
    {
        if (!piece.empty())
            pieces.emplace_back(piece);
        answer();
    }
    void close() ///< behind what was said
    {
        over = true;
        answer();
    }

    /// Completes the read that waits, if there is an answer to it.
    void answer()
    {
        if (!reader)
            return;
        if (pieces.empty() && !over)
            return;
        const std::size_t n = pieces.empty() ? 0 : std::min(into.size(), pieces.front().size());
        if (n > 0) {
            std::memcpy(into.data(), pieces.front().data(), n);
            pieces.front().erase(0, n);
            if (pieces.front().empty())
                pieces.pop_front();
        }
        finish(n > 0 ? error_code() : asio::error::eof, n);
    }

    void finish(error_code ec, std::size_t n)
    {
        if (!reader)
            return;
        stream::handler done;
        done.swap(reader); // and not exchanged: an any_completion_handler must not be assigned to
        net::complete_later(executor, std::move(done), ec, n);
    }

    asio::any_io_executor executor;
    std::string heard;
    bool over = false, closed = false; ///< by us; by the stream's owner
    std::deque<std::string> pieces;
    asio::mutable_buffer into;
    stream::handler reader;
};

class fed_stream final : public stream {
public:
    explicit fed_stream(std::shared_ptr<feeder> other) : other_(std::move(other)) {}
    ~fed_stream() override { close(); }

    asio::any_io_executor get_executor() override { return other_->executor; }

    void async_read(asio::mutable_buffer into, handler done) override
    {
        other_->into = into;
        other_->reader.swap(done);
        if (other_->closed)
            cancel();
        else
            other_->answer();
    }

    void async_write(std::span<const asio::const_buffer> octets, handler done) override
    {
        error_code ec;
        const std::size_t n = write_now(octets, ec);
        net::complete_later(other_->executor, std::move(done), ec, n);
    }

    std::size_t write_now(std::span<const asio::const_buffer> octets, error_code& ec) override
    {
        ec = {};
        std::size_t n = 0;
        for (const asio::const_buffer& one : octets) {
            other_->heard.append(static_cast<const char*>(one.data()), one.size());
            n += one.size();
        }
        return n;
    }

    void cancel() override { other_->finish(asio::error::operation_aborted, 0); }
    void close() noexcept override
    {
        other_->closed = true;
        cancel();
    }
    std::string peer() const override { return "192.0.2.1:2525"; }

private:
    std::shared_ptr<feeder> other_;
};

} // namespace postrider::test
