// SPDX-License-Identifier: MIT
#pragma once
// support/sim_wire: one simulated connection: two directions with windows, pieces, delays and cuts.
//
// The client's end is a postrider::stream; the server's end is a sim_peer that is told of octets and
// may say some. A direction holds no more than its window until the other side has taken something,
// so writes block as they do in the world; what is written travels in pieces of any size.

#include "net/clock.hpp"
#include "postrider/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace postrider::test {

/// How a connection treats what goes over it. Octets are counted from its beginning.
struct sim_line {
    net::clock::duration delay{std::chrono::milliseconds(1)};
    std::size_t piece_max = 64 * 1024;
    std::size_t window = 64 * 1024;
    bool knows_now = true; ///< read_now() and write_now() do what they can

    std::optional<std::uint64_t> cut_down_after; ///< so many octets reach the client, and then
    std::optional<std::uint64_t> cut_up_after;   ///< so many octets reach the server, and then
    enum class cut { reset, half_close, silence } how = cut::reset;
};

class sim_wire;

/// The server's end.
class sim_peer {
public:
    virtual ~sim_peer() = default;
    virtual void on_open(sim_wire& wire) = 0; ///< which outlives it
    virtual void on_octets(std::string_view octets) = 0;
    virtual void on_closed() = 0; ///< by the client, or cut
};

/// What a wire needs of its world.
class sim_ground {
public:
    virtual ~sim_ground() = default;
    virtual asio::any_io_executor ground_executor() const = 0;
    virtual net::time_point ground_now() const = 0;
    virtual void at(net::time_point when, std::function<void()> what) = 0;
    virtual std::mt19937_64& dice() = 0;
};

class sim_wire : public std::enable_shared_from_this<sim_wire> {
public:
    sim_wire(sim_ground& ground, sim_line line, std::shared_ptr<sim_peer> server, std::string peer_name);

    void open();

    /// The client's end; once.
    std::unique_ptr<stream> client_end();

    // The server's end.
    void say(std::string_view octets);
    void close(); ///< when all that was said has left
    void stop_reading() { reading_stopped_ = true; }

    std::uint64_t said() const noexcept { return said_; }         ///< octets, whether they arrived or not
    std::uint64_t consumed() const noexcept { return consumed_; } ///< octets that the client has read
    bool client_open() const noexcept { return client_open_; }
    const std::string& name() const noexcept { return name_; }
    sim_ground& ground() noexcept { return ground_; }

private:
    friend class sim_stream;

    struct waiting_read {
        asio::mutable_buffer into;
        stream::handler done;
    };
    struct waiting_write {
        std::vector<asio::const_buffer> octets;
        stream::handler done;
    };

    std::size_t take_from(std::span<const asio::const_buffer> octets, error_code& ec);
    std::size_t give_to(asio::mutable_buffer into, error_code& ec);
    void serve_reader();
    void serve_writer();
    void send_down();
    void arrived_down(std::string piece);
    void arrived_up(std::string piece);
    void end_down(bool by_reset);
    void abort_client_operations(error_code why);
    void client_closes();
    net::time_point arrival(net::time_point& last);
    std::size_t piece_of(std::size_t most);

    sim_ground& ground_;
    sim_line line_;
    std::shared_ptr<sim_peer> server_;
    std::string name_;

    std::string to_say_, readable_;
    std::uint64_t said_ = 0, consumed_ = 0, came_up_ = 0, came_down_ = 0;
    std::size_t under_way_up_ = 0, under_way_down_ = 0;
    net::time_point last_up_{}, last_down_{};
    bool reading_stopped_ = false, server_closed_ = false, fin_sent_ = false;
    bool silent_down_ = false, ended_down_ = false, reset_ = false, client_open_ = true;

    // At most one of each; in a list, as a handler cannot be assigned in Asio 1.81.
    std::vector<waiting_read> reader_;
    std::vector<waiting_write> writer_;
};

} // namespace postrider::test
