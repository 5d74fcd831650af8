// SPDX-License-Identifier: MIT
#pragma once
// app/stream_client: one client's connector: connecting, connected, or neither.
//
// It is shared, so that whoever waits to connect again can do so weakly; a connector whose client is
// being stopped, or is gone, does not connect. The factory hears of each attempt and of its end, always
// from the loop; at both it may ask for the next attempt at once.

#include "app/connection.hpp"
#include "app/destination.hpp"
#include "app/factory_use.hpp"
#include "app/gate.hpp"
#include "net/stop_signal.hpp"
#include "net/watchdog.hpp"
#include "postrider/app/clients.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>

namespace postrider::app {

struct stream_client::engine final : app::connector {
    /// Without a factory: one that says what is missing.
    engine(app::destination where, std::shared_ptr<client_factory> makes);

    void start(app::loop& loop);
    eventually<void> stop();
    void abandon() noexcept; ///< the client is gone

    void connect() override;
    void stop_connecting() override;
    void disconnect() override;
    std::string destination() const override { return where_.to_string(); }
    bool active() const noexcept override { return active_; }
    bool idle() const noexcept override { return !attempt_ && !connection_; }
    std::chrono::nanoseconds stood() const override;
    app::loop& loop() const override;

    bool connected() const noexcept { return connection_ != nullptr; }

    std::chrono::milliseconds timeout = std::chrono::seconds(30);
    std::chrono::milliseconds patience = std::chrono::seconds(10);

private:
    std::shared_ptr<engine> self() { return std::static_pointer_cast<engine>(shared_from_this()); }

    void arrived(std::exception_ptr thrown, arrival got);
    void made();
    void failed(const reason& why);
    void lost(const reason& why);
    void tell(const std::function<void()>& callback);
    void settle();

    app::destination where_;
    std::shared_ptr<client_factory> makes_;
    app::loop* loop_ = nullptr;
    bool active_ = false;

    std::shared_ptr<net::stop_signal> attempt_; // under way
    std::shared_ptr<connection> connection_;    // stands
    net::time_point since_;
    std::chrono::nanoseconds stood_{0};

    std::optional<factory_use> use_;
    std::shared_ptr<gate> ended_; // of the stop under way
    std::optional<net::watchdog> watchdog_;
};

} // namespace postrider::app
