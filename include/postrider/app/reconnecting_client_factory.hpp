// SPDX-License-Identifier: MIT
#pragma once
// app/reconnecting_client_factory: connects again, after a while, whenever a connection failed or ended.

#include "postrider/app/backoff.hpp"
#include "postrider/app/factory.hpp"
#include "postrider/app/loop.hpp"

#include <optional>

namespace postrider::app {

class reconnecting_client_factory : public client_factory {
public:
    explicit reconnecting_client_factory(backoff waits = backoff());
    ~reconnecting_client_factory() override;

    void attempts_max(unsigned n) { attempts_max_ = n; } ///< since the last reset; default: no end

    void stop_trying(); ///< from now on an end is the end; a wait is called off

    /// The connection is of use: the next wait is short again. Called for every connection that stood
    /// for longer than the longest wait; a protocol may call it earlier.
    void reset_delay();

    void connection_failed(connector& which, const reason& why) override;
    void connection_lost(connector& which, const reason& why) override;
    void started_connecting(connector& which) override;

private:
    void retry(connector& which, const reason& why);

    backoff waits_;
    std::optional<unsigned> attempts_max_;
    delayed_call next_;
    bool trying_ = true;
};

} // namespace postrider::app
