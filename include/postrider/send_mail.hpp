// SPDX-License-Identifier: MIT
#pragma once
// delivery/send_mail: one message, one server, one call: connects, sends, says QUIT, and tries again.
//
//     auto report = co_await postrider::async_send_mail(executor, server("mail.example.org"), message);
//
// What is tried again, on a new connection, after a wait: recipients who are deferred or untried because
// no connection came about, or because one was lost, fell silent or was ended by the server (421). What
// the server said about the message or a recipient is its word, 4yz too; nonsense is no better the next
// time; what is in doubt is left so: nothing is sent twice. A body that can be read once only is not
// sent again once it was begun. For each recipient the report has what was known last.
//
// Cancelling (terminal, partial or total) ends it at once, in a wait too, with the report as it stands
// and error::cancelled. A message without recipients needs no connection, and has an empty report.

#include "postrider/completion.hpp"
#include "postrider/message.hpp"
#include "postrider/report.hpp"
#include "postrider/server.hpp"
#include "postrider/settings.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <utility>

namespace postrider {

/// How often, and how far apart.
class retries {
public:
    /// 5 connections in all, the waits between them up to 1 s, 2 s, 4 s, 8 s, evenly distributed. At
    /// least one connection is made.
    explicit retries(unsigned connections = 5, std::chrono::milliseconds first = std::chrono::seconds(1),
                     std::chrono::milliseconds longest = std::chrono::minutes(1));

    unsigned connections() const noexcept { return connections_; }
    std::chrono::milliseconds first() const noexcept { return first_; }
    std::chrono::milliseconds longest() const noexcept { return longest_; }

private:
    unsigned connections_;
    std::chrono::milliseconds first_, longest_;
};

class sending_mail {
public:
    sending_mail(boost::asio::any_io_executor executor, server where, message what, settings how,
                 retries again);
    void operator()(completion<report> done);

private:
    boost::asio::any_io_executor executor_;
    server where_;
    message what_;
    settings how_;
    retries again_;
};

/// Completes with the report; the error is that of the last attempt's, if the conversation broke. The
/// handler runs on its associated executor, never inside the call.
template <class Token = default_token>
auto async_send_mail(boost::asio::any_io_executor executor, server where, message what, settings how = {},
                     retries again = retries(), Token&& token = Token())
{
    return initiate<report>(std::forward<Token>(token), sending_mail(std::move(executor), std::move(where),
                                                                     std::move(what), std::move(how), again));
}

/// The same for programs without an event loop; nothing ends it early but its time limits. Throws
/// send_error.
report send_mail(server where, message what, settings how = {}, retries again = retries());

} // namespace postrider
