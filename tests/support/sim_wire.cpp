// SPDX-License-Identifier: MIT
// support/sim_wire: octets on their way.

#include "support/sim_wire.hpp"

#include "net/complete.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace postrider::test {

class sim_stream final : public stream {
public:
    explicit sim_stream(std::shared_ptr<sim_wire> wire) : wire_(std::move(wire)) {}
    ~sim_stream() override { wire_->client_closes(); }

    asio::any_io_executor get_executor() override { return wire_->ground_.ground_executor(); }

    void async_read(asio::mutable_buffer into, handler done) override
    {
        wire_->reader_.push_back({into, std::move(done)});
        wire_->serve_reader();
    }

    void async_write(std::span<const asio::const_buffer> octets, handler done) override
    {
        wire_->writer_.push_back({{octets.begin(), octets.end()}, std::move(done)});
        wire_->serve_writer();
    }

    std::size_t read_now(asio::mutable_buffer into, error_code& ec) override
    {
        if (wire_->line_.knows_now)
            return wire_->give_to(into, ec);
        return stream::read_now(into, ec);
    }

    std::size_t write_now(std::span<const asio::const_buffer> octets, error_code& ec) override
    {
        if (wire_->line_.knows_now)
            return wire_->take_from(octets, ec);
        return stream::write_now(octets, ec);
    }

    void cancel() override { wire_->abort_client_operations(asio::error::operation_aborted); }
    void close() noexcept override { wire_->client_closes(); }
    std::string peer() const override { return wire_->name_; }
    std::string local_literal() const override { return "[192.0.2.99]"; }

private:
    std::shared_ptr<sim_wire> wire_;
};

sim_wire::sim_wire(sim_ground& ground, sim_line line, std::shared_ptr<sim_peer> server, std::string peer_name)
    : ground_(ground), line_(line), server_(std::move(server)), name_(std::move(peer_name))
{
}

void sim_wire::open() { server_->on_open(*this); }

std::unique_ptr<stream> sim_wire::client_end() { return std::make_unique<sim_stream>(shared_from_this()); }

void sim_wire::say(std::string_view octets)
{
    if (server_closed_)
        return;
    said_ += octets.size();
    to_say_ += octets;
    send_down();
}

void sim_wire::close()
{
    server_closed_ = true;
    send_down();
}

net::time_point sim_wire::arrival(net::time_point& last)
{
    return last = std::max(last, ground_.ground_now() + line_.delay);
}

std::size_t sim_wire::piece_of(std::size_t most)
{
    return std::uniform_int_distribution<std::size_t>(1, std::min(most, line_.piece_max))(ground_.dice());
}

// From the server towards the client, as far as the window goes.
void sim_wire::send_down()
{
    while (!to_say_.empty() && under_way_down_ < line_.window && client_open_) {
        const std::size_t n = piece_of(std::min(to_say_.size(), line_.window - under_way_down_));
        std::string piece = to_say_.substr(0, n);
        to_say_.erase(0, n);
        under_way_down_ += n;
        ground_.at(arrival(last_down_), [self = shared_from_this(), piece = std::move(piece)]() mutable {
            self->arrived_down(std::move(piece));
        });
    }
    if (server_closed_ && to_say_.empty() && !std::exchange(fin_sent_, true))
        ground_.at(arrival(last_down_), [self = shared_from_this()] { self->end_down(false); });
}

void sim_wire::arrived_down(std::string piece)
{
    if (ended_down_ || silent_down_)
        return;
    const bool cut = line_.cut_down_after && came_down_ + piece.size() >= *line_.cut_down_after;
    if (cut)
        piece.resize(*line_.cut_down_after - came_down_);
    came_down_ += piece.size();
    readable_ += piece;
    if (cut && line_.how == sim_line::cut::silence)
        silent_down_ = true;
    else if (cut)
        end_down(line_.how == sim_line::cut::reset);
    serve_reader();
}

void sim_wire::end_down(bool by_reset)
{
    if (silent_down_ || ended_down_)
        return;
    ended_down_ = true;
    reset_ = reset_ || by_reset;
    if (by_reset)
        server_->on_closed();
    serve_reader();
    serve_writer();
}

std::size_t sim_wire::take_from(std::span<const asio::const_buffer> octets, error_code& ec)
{
    ec = {};
    if (!client_open_ || reset_) {
        ec = client_open_ ? asio::error::connection_reset : asio::error::bad_descriptor;
        return 0;
    }
    std::size_t room = line_.window - std::min(line_.window, under_way_up_);
    std::size_t all = 0;
    for (const asio::const_buffer& b : octets)
        all += b.size();
    if (room == 0 || all == 0) {
        if (all > 0)
            ec = asio::error::would_block;
        return 0;
    }
    room = piece_of(std::min(room, all));
    std::string piece;
    for (const asio::const_buffer& b : octets)
        piece.append(static_cast<const char*>(b.data()), std::min(b.size(), room - piece.size()));
    under_way_up_ += piece.size();
    ground_.at(arrival(last_up_),
               [self = shared_from_this(), piece]() mutable { self->arrived_up(std::move(piece)); });
    return piece.size();
}

void sim_wire::arrived_up(std::string piece)
{
    if (reading_stopped_)
        return; // it lies in the window for ever
    if (server_closed_) {
        // Nobody is there to read it: a reset comes back, behind what was said before.
        ground_.at(arrival(last_down_), [self = shared_from_this()] {
            self->reset_ = true;
            self->end_down(true);
            self->serve_reader();
            self->serve_writer();
        });
        return;
    }
    const bool cut = line_.cut_up_after && came_up_ + piece.size() >= *line_.cut_up_after;
    if (cut)
        piece.resize(*line_.cut_up_after - came_up_);
    came_up_ += piece.size();
    if (!piece.empty())
        server_->on_octets(piece);
    if (cut && line_.how == sim_line::cut::silence) {
        reading_stopped_ = true;
        return;
    }
    if (cut)
        end_down(line_.how == sim_line::cut::reset);
    if (cut && line_.how == sim_line::cut::half_close)
        server_closed_ = fin_sent_ = true;
    under_way_up_ -= std::min(under_way_up_, piece.size());
    serve_writer();
}

std::size_t sim_wire::give_to(asio::mutable_buffer into, error_code& ec)
{
    ec = {};
    if (!client_open_) {
        ec = asio::error::bad_descriptor;
        return 0;
    }
    if (readable_.empty()) {
        if (reset_)
            ec = asio::error::connection_reset;
        else if (ended_down_)
            ec = asio::error::eof;
        else
            ec = asio::error::would_block;
        return 0;
    }
    const std::size_t n = piece_of(std::min(into.size(), readable_.size()));
    std::memcpy(into.data(), readable_.data(), n);
    readable_.erase(0, n);
    consumed_ += n;
    under_way_down_ -= std::min(under_way_down_, n);
    send_down();
    return n;
}

void sim_wire::serve_reader()
{
    if (reader_.empty())
        return;
    error_code ec;
    const std::size_t n = give_to(reader_.front().into, ec);
    if (ec == asio::error::would_block)
        return;
    waiting_read r = std::move(reader_.front());
    reader_.clear();
    net::complete_later(ground_.ground_executor(), std::move(r.done), ec, n);
}

void sim_wire::serve_writer()
{
    if (writer_.empty())
        return;
    error_code ec;
    const std::size_t n = take_from(writer_.front().octets, ec);
    if (ec == asio::error::would_block)
        return;
    waiting_write w = std::move(writer_.front());
    writer_.clear();
    net::complete_later(ground_.ground_executor(), std::move(w.done), ec, n);
}

void sim_wire::abort_client_operations(error_code why)
{
    std::vector<waiting_read> reads = std::exchange(reader_, {});
    std::vector<waiting_write> writes = std::exchange(writer_, {});
    for (waiting_read& r : reads)
        net::complete_later(ground_.ground_executor(), std::move(r.done), why, std::size_t{0});
    for (waiting_write& w : writes)
        net::complete_later(ground_.ground_executor(), std::move(w.done), why, std::size_t{0});
}

void sim_wire::client_closes()
{
    if (!std::exchange(client_open_, false))
        return;
    abort_client_operations(asio::error::operation_aborted);
    ground_.at(arrival(last_up_), [self = shared_from_this()] {
        if (!std::exchange(self->reading_stopped_, true))
            self->server_->on_closed();
    });
}

} // namespace postrider::test
