// SPDX-License-Identifier: MIT
#pragma once
// app/reconnecting_client_factory: connects again, after a while, whenever a connection failed or ended.
//
// What is waited for, and why, is a line in the log. A client that is being stopped does not connect again.
// The waits of all clients that share such a factory grow together.

#include "postrider/app/backoff.hpp"
#include "postrider/app/factory.hpp"
#include "postrider/app/loop.hpp"

#include <optional>
#include <vector>

namespace postrider::app {

class reconnecting_client_factory : public client_factory {
public:
    explicit reconnecting_client_factory(backoff waits = backoff());
    ~reconnecting_client_factory() override;

    /// So many attempts to connect again since the last reset; then the failure is that of any client
    /// (client_factory::connection_failed()). Default: no end.
    void attempts_max(unsigned n) { attempts_max_ = n; }

    void stop_trying(); ///< from now on an end is the end; a wait is called off

    /// The connection is of use: the next wait is short again. Called for every connection that stood
    /// for longer than the longest wait; a protocol may call it earlier.
    void reset_delay();

    void connection_failed(connector& which, const reason& why) override;
    void connection_lost(connector& which, const reason& why) override;

private:
    void retry(connector& which, const reason& why);

    backoff waits_;
    std::optional<unsigned> attempts_max_;
    std::vector<delayed_call> waiting_; // of several clients
    bool trying_ = true;
};

} // namespace postrider::app
