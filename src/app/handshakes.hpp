// SPDX-License-Identifier: MIT
#pragma once
// app/handshakes: connections that have been accepted and are not yet fit to be spoken over.
//
// Each has 30 seconds and runs by itself, so that one that hangs keeps nobody else waiting. How many
// there may be is up to the server, for which they are connections like others.

#include "net/tls_stream.hpp"
#include "postrider/app/log.hpp"
#include "postrider/app/loop.hpp"
#include "postrider/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace postrider::app {

class handshakes {
public:
    /// What turns a stream into another, and honours the handler's cancellation slot.
    using method =
        std::function<void(std::unique_ptr<stream>, asio::any_completion_handler<void(net::tls_result)>)>;

    /// Is told once for each, from the loop: what came of it, or nothing. Why not is in the log.
    using finished = std::function<void(std::uint64_t number, std::unique_ptr<stream> made)>;

    handshakes(app::loop& where, method how, logger log, finished tell);
    ~handshakes(); ///< ends them all, and tells nobody
    handshakes(const handshakes&) = delete;
    handshakes& operator=(const handshakes&) = delete;

    void begin(std::uint64_t number, std::unique_ptr<stream> over);

    /// Ends them all; that is told as any other failure, and not logged.
    void cancel_all();

    std::size_t size() const noexcept { return shared_->under_way.size(); }

private:
    struct handshake {
        asio::cancellation_signal operation, alarm;
        bool late = false;
    };

    // Outlives this object while handlers are on their way.
    struct state {
        std::map<std::uint64_t, std::shared_ptr<handshake>> under_way;
        logger log;
        finished tell; // nothing: nobody is left to be told
        bool cancelled = false;

        void on_result(std::uint64_t number, const std::string& peer, net::tls_result result);
    };

    app::loop& loop_;
    method how_;
    std::shared_ptr<state> shared_;
};

} // namespace postrider::app
