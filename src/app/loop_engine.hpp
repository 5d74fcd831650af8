// SPDX-License-Identifier: MIT
#pragma once
// app/loop_engine: what a loop is made of, for the library itself and for simulations.
//
// It knows what it started, coroutines and calls to come, and calls that off at the end. Handlers hold
// it weakly: on the program's own executor they may come after the loop.
//
// Threads: that of the loop, but for `stopping` and `status`.

#include "net/environment.hpp"
#include "postrider/app/loop.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace postrider::app {

struct loop_engine : std::enable_shared_from_this<loop_engine> {
    loop_engine() = default;
    ~loop_engine();
    loop_engine(const loop_engine&) = delete;
    loop_engine& operator=(const loop_engine&) = delete;

    std::unique_ptr<asio::io_context> own; ///< nothing: the program runs the loop itself
    asio::any_io_executor executor;
    std::vector<std::string> dns_servers;

    /// What loop::stop() does, once: the application's services are stopped, and then the loop is ended.
    /// The application puts it here; without one the loop is ended at once.
    std::function<void()> ending;

    /// Which service could not be started, for whoever says that the application could not.
    std::string failed_start;

    std::atomic<bool> stopping = false;
    std::atomic<int> status = 0;

    /// Made when first asked for; simulations give theirs before.
    const std::shared_ptr<net::environment>& world();
    bool has_world() const noexcept { return world_ != nullptr; }
    void set_world(std::shared_ptr<net::environment> world) { world_ = std::move(world); }

    /// Time, without making a world for it: the DNS servers of one can still be chosen afterwards.
    net::time_point now() const;
    void wait(net::clock::duration how_long, net::timer_service::handler done);
    void wait_until(net::time_point when, net::timer_service::handler done);

    /// The loop has nothing more to do: what it started is called off, and run() returns when all of that
    /// has ended, or when it has had its time (5 s). The program's own executor runs on.
    void end();
    bool ended() const noexcept { return ended_; }

    /// loop::spawn(). After the end nothing is started.
    void spawn(asio::awaitable<void> work, std::string prefix);

    /// Something that is called off at the end, by its signal.
    struct errand {
        std::uint64_t number;
        asio::cancellation_signal signal;
        bool listens = true; ///< to its signal
        bool called_off = false;
    };
    std::shared_ptr<errand> begin_errand();
    void call_off(std::uint64_t number);
    void finish_errand(std::uint64_t number); ///< not from inside its cancellation

    void note_failure(int failure) noexcept;

    /// Runs a callback; see the function of this name below.
    std::exception_ptr guarded(const std::string& prefix, const std::function<void()>& callback);

    /// Says it in the log and notes it (70).
    void note_unhandled(const std::string& prefix, const std::exception_ptr& thrown);

    /// The loop is gone: what it started is called off.
    void abandon();

private:
    void call_off_all();
    void leave();

    std::shared_ptr<net::environment> world_;
    // In the order of their beginning, so that a simulation ends the same way each time.
    std::map<std::uint64_t, std::shared_ptr<errand>> errands_;
    std::uint64_t next_errand_ = 0;
    bool ended_ = false;
};

/// In a simulated world, on its executor.
std::shared_ptr<loop_engine> engine_in(std::shared_ptr<net::environment> world);

/// Runs a callback of the program's: an exception is logged under `prefix` and noted for the exit
/// status (70), and returned.
std::exception_ptr guarded(loop& where, const std::string& prefix, const std::function<void()>& callback);

} // namespace postrider::app
