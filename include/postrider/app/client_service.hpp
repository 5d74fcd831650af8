// SPDX-License-Identifier: MIT
#pragma once
// app/client_service: keeps one connection: connects, and connects again when it is lost.
//
//     auto& service = *application.emplace<client_service>("mail.example.org", 25, factory);
//     auto protocol = co_await service.when_connected();
//
// Attempts are spaced by a backoff, which starts anew once a connection is up and prepared. What is waited
// for, and why, is a line in the log.

#include "postrider/app/backoff.hpp"
#include "postrider/app/clients.hpp"
#include "postrider/app/factory.hpp"
#include "postrider/app/service.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace postrider::app {

class client_service final : public service {
public:
    client_service(std::string host, std::uint16_t port, std::shared_ptr<factory> makes,
                   backoff waits = backoff());
    /// On another kind of connection: `connect` makes the client for one attempt, with the factory it is
    /// given. What it throws counts as a failed attempt.
    using client_maker = std::function<std::shared_ptr<stream_client>(std::shared_ptr<client_factory>)>;
    client_service(client_maker connect, std::shared_ptr<factory> makes, backoff waits = backoff());
    ~client_service() override;

    /// Is called with each new connection before anybody gets it; an exception drops it, and counts as
    /// a failed attempt. A coroutine is cancelled when the connection ends meanwhile; it is its own part
    /// to end where the peer never answers.
    client_service& prepare_connection(std::function<eventually<void>(std::shared_ptr<protocol>)> how);

    /// The protocol of the connection: at once if there is one, else the next. After `failures_max`
    /// attempts that failed from now on (no number: never) it throws the last one's std::system_error,
    /// or what the preparation threw; when the service is stopped, or has been, std::system_error with
    /// error::cancelled. Before the start it waits for that.
    boost::asio::awaitable<std::shared_ptr<protocol>> when_connected(
        std::optional<unsigned> failures_max = std::nullopt);

protected:
    void on_start() override;
    eventually<void> on_stop() override;
    void on_abandon() noexcept override;

private:
    struct engine;
    std::shared_ptr<engine> engine_;
};

} // namespace postrider::app
