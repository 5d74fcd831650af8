// SPDX-License-Identifier: MIT
// support/sim_pair: two pipes between two ends.

#include "support/sim_pair.hpp"

#include "net/complete.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace postrider::test {
namespace {

// One direction. Whoever waits is served when something changes.
struct pipe {
    struct waiting_read {
        std::uint64_t number;
        asio::mutable_buffer into;
        stream::handler done;
    };
    struct waiting_write {
        std::uint64_t number;
        std::vector<asio::const_buffer> octets;
        stream::handler done;
    };

    std::string under_way;
    std::uint64_t came = 0;
    std::optional<std::uint64_t> cut_after;
    bool ended = false;               // nothing more comes
    bool reader_gone = false;         // nobody takes it any more
    std::vector<waiting_read> reader; // at most one
    std::vector<waiting_write> writer;
};

struct line : std::enable_shared_from_this<line> {
    line(asio::any_io_executor e, sim_pair_rules r) : executor(std::move(e)), rules(r)
    {
        pipes[0].cut_after = r.cut_up_after;
        pipes[1].cut_after = r.cut_down_after;
    }

    std::size_t take(pipe& p, asio::mutable_buffer into, error_code& ec)
    {
        ec = {};
        const std::size_t n = std::min({into.size(), p.under_way.size(), rules.piece_max});
        if (reset)
            ec = asio::error::connection_reset;
        else if (n == 0 && p.ended && into.size() > 0)
            ec = asio::error::eof;
        else if (n == 0)
            ec = asio::error::would_block;
        if (ec)
            return 0;
        std::memcpy(into.data(), p.under_way.data(), n);
        p.under_way.erase(0, n);
        return n;
    }

    std::size_t give(pipe& p, std::span<const asio::const_buffer> octets, error_code& ec)
    {
        ec = {};
        if (reset)
            ec = asio::error::connection_reset;
        else if (p.reader_gone)
            ec = asio::error::broken_pipe;
        if (ec)
            return 0;
        std::size_t room =
            std::min(rules.piece_max, rules.window - std::min(rules.window, p.under_way.size()));
        std::size_t given = 0;
        for (const asio::const_buffer& b : octets) {
            const std::size_t n = std::min(room, b.size());
            arrive(p, {static_cast<const char*>(b.data()), n});
            given += n;
            room -= n;
        }
        if (given == 0 && asio::buffer_size(octets) > 0)
            ec = asio::error::would_block;
        return given;
    }

    // What lies behind a cut is taken from its writer and comes nowhere.
    void arrive(pipe& p, std::string_view octets)
    {
        if (p.ended)
            return;
        if (p.cut_after && p.came + octets.size() >= *p.cut_after) {
            octets = octets.substr(0, *p.cut_after - p.came);
            p.ended = true;
            reset = rules.cut_by_reset;
        }
        p.came += octets.size();
        p.under_way += octets;
    }

    void serve()
    {
        for (pipe& p : pipes) {
            serve_writer(p);
            serve_reader(p);
            serve_writer(p);
        }
    }

    void serve_reader(pipe& p)
    {
        if (p.reader.empty())
            return;
        error_code ec;
        const std::size_t n = take(p, p.reader.front().into, ec);
        if (ec != asio::error::would_block)
            finish(p.reader, ec, n);
    }

    void serve_writer(pipe& p)
    {
        if (p.writer.empty())
            return;
        error_code ec;
        const std::size_t n = give(p, p.writer.front().octets, ec);
        if (ec != asio::error::would_block)
            finish(p.writer, ec, n);
    }

    template <class Waiting>
    void finish(std::vector<Waiting>& one, error_code ec, std::size_t n)
    {
        if (one.empty())
            return;
        stream::handler done = std::move(one.front().done);
        one.clear();
        net::complete_later(executor, std::move(done), ec, n);
    }

    template <class Waiting>
    std::uint64_t heed(std::vector<Waiting> pipe::* who, int which, const stream::handler& done)
    {
        const std::uint64_t number = ++operation;
        auto slot = asio::get_associated_cancellation_slot(done);
        if (slot.is_connected())
            slot.assign([weak = weak_from_this(), who, which, number](asio::cancellation_type) {
                const auto self = weak.lock();
                if (self && !(self->pipes[which].*who).empty() &&
                    (self->pipes[which].*who).front().number == number)
                    self->finish(self->pipes[which].*who, asio::error::operation_aborted, 0);
            });
        return number;
    }

    asio::any_io_executor executor;
    sim_pair_rules rules;
    pipe pipes[2]; // up: from the first to the second; down
    bool reset = false;
    std::uint64_t operation = 0;
};

class end final : public stream {
public:
    end(std::shared_ptr<line> over, int writes_to) : line_(std::move(over)), up_(writes_to) {}
    ~end() override { close(); }

    asio::any_io_executor get_executor() override { return line_->executor; }

    void async_read(asio::mutable_buffer into, handler done) override
    {
        const std::uint64_t number = line_->heed(&pipe::reader, 1 - up_, done);
        in().reader.push_back({number, into, std::move(done)});
        line_->serve();
    }

    void async_write(std::span<const asio::const_buffer> octets, handler done) override
    {
        const std::uint64_t number = line_->heed(&pipe::writer, up_, done);
        out().writer.push_back({number, {octets.begin(), octets.end()}, std::move(done)});
        line_->serve();
    }

    std::size_t read_now(asio::mutable_buffer into, error_code& ec) override
    {
        if (!line_->rules.knows_now)
            return stream::read_now(into, ec);
        const std::size_t n = line_->take(in(), into, ec);
        line_->serve();
        return n;
    }

    std::size_t write_now(std::span<const asio::const_buffer> octets, error_code& ec) override
    {
        if (!line_->rules.knows_now)
            return stream::write_now(octets, ec);
        const std::size_t n = line_->give(out(), octets, ec);
        line_->serve();
        return n;
    }

    void cancel() override
    {
        line_->finish(in().reader, asio::error::operation_aborted, 0);
        line_->finish(out().writer, asio::error::operation_aborted, 0);
    }

    void close() noexcept override
    {
        cancel();
        out().ended = true;
        in().reader_gone = true;
        line_->serve();
    }

    std::string peer() const override { return up_ == 0 ? "second.example" : "first.example"; }
    std::string local_literal() const override { return up_ == 0 ? "[192.0.2.1]" : "[192.0.2.2]"; }

private:
    pipe& out() { return line_->pipes[up_]; }
    pipe& in() { return line_->pipes[1 - up_]; }

    std::shared_ptr<line> line_;
    int up_;
};

} // namespace

sim_pair make_sim_pair(asio::any_io_executor executor, sim_pair_rules rules)
{
    const auto both = std::make_shared<line>(std::move(executor), rules);
    sim_pair made;
    made.first = std::make_unique<end>(both, 0);
    made.second = std::make_unique<end>(both, 1);
    return made;
}

} // namespace postrider::test
