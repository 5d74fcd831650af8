// SPDX-License-Identifier: MIT
#pragma once
// app/loop_engine: what a loop is made of, for the library itself and for simulations.

#include "net/environment.hpp"
#include "postrider/app/loop.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postrider::app {

struct loop_engine {
    std::unique_ptr<asio::io_context> own; ///< nothing: the program runs the loop itself
    asio::any_io_executor executor;
    std::vector<std::string> dns_servers;

    /// What loop::stop() does, once: the application's services are stopped, and then the loop is ended.
    /// The application puts it here; without one the loop is ended at once.
    std::function<void()> ending;

    std::atomic<bool> stopping = false;
    std::atomic<int> status = 0;

    /// Made when first asked for; simulations give theirs before.
    const std::shared_ptr<net::environment>& world();
    bool has_world() const noexcept { return world_ != nullptr; }
    void set_world(std::shared_ptr<net::environment> world) { world_ = std::move(world); }

    /// The loop has nothing more to do: run() returns.
    void end();

private:
    std::shared_ptr<net::environment> world_;
};

/// In a simulated world, on its executor.
std::shared_ptr<loop_engine> engine_in(std::shared_ptr<net::environment> world);

/// Runs a callback of the program's: an exception is logged under `prefix` and noted for the exit
/// status (70), and returned.
std::exception_ptr guarded(loop& where, const std::string& prefix, const std::function<void()>& callback);

} // namespace postrider::app
