// SPDX-License-Identifier: MIT
#pragma once
// support/sim_world: a world in one thread: its own clock, its own DNS, its own network.
//
// Time moves only when nothing else is left to do, to the next moment somebody waits for. Everything
// that chance decides comes from one seed, so a seed is a whole run. The world counts what is under
// way in it: at the end of a test nothing may be.

#include "net/environment.hpp"
#include "sandbox/zone.hpp"
#include "support/sim_wire.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::test {

/// What stands at an address. Nothing there: the connection is refused.
struct sim_place {
    enum class kind { listens, refuses, silent, unreachable } what = kind::listens;
    net::clock::duration connect_delay{std::chrono::milliseconds(2)};
    std::function<std::shared_ptr<sim_peer>()> server; ///< one for each connection
    std::function<sim_line()> line = [] { return sim_line(); };
};

class sim_world final : public net::environment,
                        public sim_ground,
                        public std::enable_shared_from_this<sim_world> {
public:
    sim_world(asio::io_context& context, std::uint64_t seed);
    ~sim_world() override;

    /// Adds to DNS: text as sandbox/zone reads it.
    void dns(std::string_view zone);
    net::clock::duration dns_delay{std::chrono::milliseconds(5)};

    /// "192.0.2.1:25", "[2001:db8::1]:25".
    void put(const std::string& address, sim_place place) { places_[address] = std::move(place); }

    /// A connection to `server` that stands already.
    std::unique_ptr<stream> connected(std::shared_ptr<sim_peer> server, sim_line line = {});

    /// Goes on until nothing happens any more, or `until` is true, or `most` of simulated time is
    /// over. False: that.
    bool run(net::clock::duration most = std::chrono::hours(24 * 7), const std::function<bool()>& until = {});

    /// Lets everything that needs no time happen.
    void settle();

    std::size_t open_connections() const;
    std::size_t open_waits() const noexcept { return waits_; } ///< of those who use the world
    const std::vector<std::string>& connects() const noexcept
    {
        return connects_;
    } ///< "2 ms 192.0.2.1:25", in order
    std::size_t most_connections() const noexcept { return most_connections_; }
    net::clock::duration elapsed() const { return now() - began_; }

    std::uint32_t roll(std::uint32_t bound) { return static_cast<std::uint32_t>(dice_() % bound); }
    bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(dice_) < p; }

    // environment
    asio::any_io_executor executor() const override { return context_.get_executor(); }
    net::time_point now() const override { return timers_.now(); }
    void wait_until(net::time_point when, net::timer_service::handler done) override;
    net::resolver& names() override;
    void connect(const net::endpoint& to, net::connect_handler done) override;
    std::uint32_t random(std::uint32_t bound) override { return roll(bound); }

    // sim_ground
    asio::any_io_executor ground_executor() const override { return context_.get_executor(); }
    net::time_point ground_now() const override { return timers_.now(); }
    void at(net::time_point when, std::function<void()> what) override;
    std::mt19937_64& dice() override { return dice_; }

private:
    class names_of_the_world;

    std::shared_ptr<sim_wire> wire_to(const std::string& address, const sim_place& place);

    asio::io_context& context_;
    net::timer_service& timers_;
    std::mt19937_64 dice_;
    net::time_point began_;
    std::string zone_text_;
    std::unique_ptr<names_of_the_world> resolver_;
    std::map<std::string, sim_place> places_;
    std::vector<std::shared_ptr<sim_wire>> wires_; // all there ever were: servers point at them
    std::vector<std::shared_ptr<void>> unanswered_;
    std::vector<std::string> connects_;
    std::size_t waits_ = 0, most_connections_ = 0;
};

} // namespace postrider::test
