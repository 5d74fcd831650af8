// SPDX-License-Identifier: MIT
#pragma once
// app/protocol: what to do with one connection, told by callbacks. This one does nothing, and so
// discards what comes.
//
// The order is connection_made(), data_received() any number of times, connection_lost() once. An
// exception in a callback is logged under log_prefix() and drops that connection, with the exception as
// the reason; other connections and the loop go on.
//
// The connection keeps its protocol alive until connection_lost() has returned. Threads: the loop's.

#include "postrider/app/log.hpp"
#include "postrider/app/reason.hpp"
#include "postrider/app/transport.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace postrider::app {

class factory;
class loop;
class connection;

class protocol : public std::enable_shared_from_this<protocol> {
public:
    protocol();
    virtual ~protocol();
    protocol(const protocol&) = delete;
    protocol& operator=(const protocol&) = delete;

    virtual void connection_made() {}
    virtual void data_received(std::string_view octets); ///< in pieces of any size; valid inside the call
    virtual void connection_lost(const reason& why);

    virtual void reading_resumed() {} ///< before what came while it was paused: see transport

    virtual void writing_paused() {} ///< more is waiting than the peer takes: see transport
    virtual void writing_resumed() {}

    /// The service is being stopped: come to an end. Whoever has not after the service's patience
    /// (10 s) loses the connection.
    virtual void stop_requested() { transport().lose_connection(); }

    /// Who speaks in the log: the name of the class, without namespaces.
    virtual std::string log_prefix() const;

    /// All of these from connection_made() to connection_lost() only; std::logic_error else.
    app::transport& transport() const;
    app::loop& loop() const;
    app::factory& factory() const;

    /// "[smtp_tutorial_client,client] ...".
    logger log() const;

private:
    friend class connection;
    connection* connection_ = nullptr;
};

} // namespace postrider::app
