// SPDX-License-Identifier: MIT
#pragma once
// net/tls_session: one TLS connection: the SSL object, what waits for it, and the stream below.
//
// An SSL object does one thing at a time and says what it would have to wait for. So each operation tries,
// and what cannot go on waits here for the stream below: for input (the handshake, a read) or until what
// was encrypted has left (the handshake, a write). Whatever comes or leaves, all that wait try again.
//
// An octet that was encrypted cannot be taken back. It counts as taken from then on, as with a socket's
// own buffer: what keeps it from leaving is an error of the next operation. An asynchronous write ends
// when its octets have left; of what write_now() took a record may still be here, and goes on by itself.
//
// Held by the operations below, which close() brings to an end.

#include "net/tls_openssl.hpp"
#include "net/tls_refusal.hpp"
#include "net/tls_trouble.hpp"
#include "net/tls_wire.hpp"

#include <boost/asio/cancellation_signal.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace postrider::net {

class tls_session final : public std::enable_shared_from_this<tls_session> {
public:
    using handshaken = asio::any_completion_handler<void(error_code, std::shared_ptr<tls_session>)>;

    tls_session(std::unique_ptr<stream> under, ssl_ptr ssl);

    void handshake(handshaken done);
    void read(asio::mutable_buffer into, stream::handler done);
    void write(std::span<const asio::const_buffer> octets, stream::handler done);
    std::size_t read_now(asio::mutable_buffer into, error_code& ec);
    std::size_t write_now(std::span<const asio::const_buffer> octets, error_code& ec);
    void cancel();

    /// Says close_notify as far as that goes at once. Where octets that were taken have not left and
    /// nobody waits for them any more, the connection stays until they have, for at most five seconds.
    void close() noexcept;

    stream& under() noexcept { return wire_.under(); }
    const tls_wire& wire() const noexcept { return wire_; }
    const SSL& ssl() const noexcept { return *ssl_; }

    // Of a handshake that failed.
    const tls_trouble& trouble() const noexcept { return trouble_; }
    const tls_refusal& refusal() const noexcept { return refusal_; }

private:
    class under_operation;

    struct waiting_handshake {
        std::uint64_t number;
        handshaken done;
    };
    struct waiting_read {
        std::uint64_t number;
        asio::mutable_buffer into;
        stream::handler done;
    };
    struct waiting_write {
        std::uint64_t number;
        std::vector<asio::const_buffer> octets; // empty once some are taken
        std::size_t taken;
        stream::handler done;
    };

    template <class Handler>
    std::uint64_t heed(const Handler& done);
    void abort(std::uint64_t number);
    void abort_all();

    void advance_handshake();
    void advance_read();
    void advance_write();
    void finish_handshake(error_code ec);
    void finish_read(error_code ec, std::size_t n);
    void finish_write(error_code ec, std::size_t n);

    std::size_t decrypt(asio::mutable_buffer into, error_code& ec);
    std::size_t encrypt(std::span<const asio::const_buffer> octets, error_code& ec);
    error_code end_of_input() const;
    error_code break_off();

    void listen();
    void flush();
    void on_came(error_code ec, std::size_t n);
    void on_left(error_code ec, std::size_t n);
    void say_close_notify() noexcept;
    void linger();
    void close_under() noexcept;
    void abandon() noexcept;

    tls_wire wire_;
    tls_refusal refusal_;
    ssl_ptr ssl_; // stands on these two
    tls_trouble trouble_;
    error_code read_end_, broken_;
    std::optional<waiting_handshake> greeter_;
    std::optional<waiting_read> reader_;
    std::optional<waiting_write> writer_;
    std::uint64_t operation_ = 0;
    std::unique_ptr<asio::cancellation_signal> patience_; // while it lingers
    bool established_ = false, closed_ = false;
};

} // namespace postrider::net
