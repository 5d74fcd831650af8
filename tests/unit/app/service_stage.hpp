// SPDX-License-Identifier: MIT
#pragma once
// unit/app/service_stage: an application in a simulated world, services that write down what is done
// to them, and the lines of the log.

#include "app/loop_engine.hpp"
#include "net/use.hpp"
#include "postrider/app/application.hpp"
#include "support/sim_world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace postrider::test {

using diary = std::vector<std::string>;

/// Notes "prepare NAME", "start NAME", "stop NAME" and, if it takes time to stop, "stopped NAME".
class noted_service : public app::service {
public:
    noted_service(diary& notes, std::string name) : service(name), notes_(notes), who_(std::move(name)) {}

    std::function<void()> when_prepared, when_started, when_stopped; ///< may throw
    std::chrono::seconds stop_time{0};
    bool fails_late = false; ///< after stop_time

protected:
    void on_privileged_start() override { note("prepare ", when_prepared); }
    void on_start() override { note("start ", when_started); }

    app::eventually<void> on_stop() override
    {
        note("stop ", when_stopped);
        if (stop_time.count() > 0)
            return take_time();
        return {};
    }

private:
    void note(const std::string& what, const std::function<void()>& then)
    {
        notes_.push_back(what + who_);
        if (then)
            then();
    }

    asio::awaitable<void> take_time()
    {
        co_await loop().async_sleep(stop_time, net::use);
        notes_.push_back("stopped " + who_);
        if (fails_late)
            throw std::runtime_error("too late");
    }

    diary& notes_;
    std::string who_;
};

struct service_stage {
    service_stage()
    {
        app::set_log_observer([this](const app::log_line& line) {
            log.push_back("[" + std::string(line.prefix) + "] " + std::string(line.text));
        });
    }
    ~service_stage()
    {
        context.restart();
        context.poll(); // what was called off ends
        EXPECT_EQ(world->open_waits(), 0U) << "something still waits";
        app::set_log_observer({});
    }

    /// Until a condition holds, or nothing happens any more.
    void run(const std::function<bool()>& until = {}) { world->run(std::chrono::hours(24), until); }

    /// Stops, and goes on until it has.
    void stop(app::service& what)
    {
        bool over = false;
        asio::co_spawn(context, what.stop(), [&over](std::exception_ptr thrown) {
            EXPECT_FALSE(thrown);
            over = true;
        });
        run([&over] { return over; });
        EXPECT_TRUE(over);
    }
    void stop() { stop(application); }

    diary notes, log;
    asio::io_context context;
    std::shared_ptr<sim_world> world = std::make_shared<sim_world>(context, 1);
    app::application application{"main", app::engine_in(world)};
};

} // namespace postrider::test
