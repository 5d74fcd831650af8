// SPDX-License-Identifier: MIT
#pragma once
// delivery/arrival: the way to one server, by name, address or path, up to its reply to EHLO.
//
// What keeps it from arriving is told, never thrown: in the words of a connect_report, and as what it
// means for messages that wait.

#include "delivery/connection.hpp"
#include "net/asio.hpp"
#include "policy/failure.hpp"
#include "postrider/client.hpp" // connect_report
#include "postrider/server.hpp"

#include <memory>
#include <system_error>

namespace postrider::delivery {

struct arrival {
    std::error_code error;
    connect_report report;
    policy::trouble meaning;          ///< of a failure, for messages that wait for this connection
    std::unique_ptr<connection> link; ///< nothing after a failure
};

/// Resolves the name, connects to one of its addresses, and greets.
asio::awaitable<arrival> connect_to(std::shared_ptr<net::environment> world, server where, settings how);

/// The same over a stream that stands.
asio::awaitable<arrival> greet_over(std::shared_ptr<net::environment> world, std::unique_ptr<stream> over,
                                    settings how);

} // namespace postrider::delivery
