// SPDX-License-Identifier: MIT
#pragma once
// net/stream: octets both ways between us and a server, over whatever carries them.
//
// TCP and Unix sockets are ours; a test, a proxy or a program with a transport of its own derives
// from it. At most one read and one write are under way at a time, and the two may overlap. The
// *_now forms do what can be done without waiting: they spare a round through the event loop, and
// they are how a session knows that no input stands unread when it is about to speak.
//
// Threads: one at a time. Handlers are never called from inside the starting function.

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace postrider {

class stream {
public:
    using error_code = boost::system::error_code;
    using handler = boost::asio::any_completion_handler<void(error_code, std::size_t)>;

    virtual ~stream() = default;
    stream() = default;
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;

    virtual boost::asio::any_io_executor get_executor() = 0;

    /// Completes with at least one octet in `into`, or an error: asio::error::eof when the peer has
    /// closed its side, asio::error::operation_aborted after cancel(). `into` must stay until then.
    virtual void async_read(boost::asio::mutable_buffer into, handler done) = 0;

    /// Completes when at least one octet of `octets` has been taken, or with an error. The octets
    /// must stay until then; the sequence of buffers need not.
    virtual void async_write(std::span<const boost::asio::const_buffer> octets, handler done) = 0;

    /// As async_read, if something is there already; else asio::error::would_block. A stream that
    /// cannot know says would_block always.
    virtual std::size_t read_now(boost::asio::mutable_buffer into, error_code& ec);

    /// As async_write, as far as it goes without waiting.
    virtual std::size_t write_now(std::span<const boost::asio::const_buffer> octets, error_code& ec);

    /// Ends what is under way: its handlers get asio::error::operation_aborted.
    virtual void cancel() = 0;

    /// Closes the connection at once, in both directions. Safe to call twice.
    virtual void close() noexcept = 0;

    /// Who is at the other end, for reports: "192.0.2.1:25".
    virtual std::string peer() const = 0;

    /// Our own end as an address literal, "[192.0.2.7]" or "[IPv6:2001:db8::7]", to say in EHLO where
    /// this host has no name; empty if there is none.
    virtual std::string local_literal() const { return {}; }
};

} // namespace postrider
