// SPDX-License-Identifier: MIT
// net/tls_session: trying, waiting, trying again.

#include "net/tls_session.hpp"

#include "net/clock.hpp"
#include "net/complete.hpp"
#include "net/tls_chunks.hpp"
#include "postrider/error.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

#include <openssl/err.h>

#include <cassert>
#include <utility>

namespace postrider::net {
namespace {

constexpr std::chrono::seconds linger_max{5};

} // namespace

// Held by the handler of an operation below. An event loop that is destroyed drops handlers uncalled, and
// what waits here must go with them: it may hold, by way of a coroutine, the stream that holds us.
class tls_session::under_operation {
public:
    explicit under_operation(std::shared_ptr<tls_session> session) : session_(std::move(session)) {}
    under_operation(under_operation&&) noexcept = default;
    under_operation& operator=(under_operation&&) = delete;

    ~under_operation()
    {
        if (session_)
            session_->abandon();
    }

    std::shared_ptr<tls_session> end() { return std::exchange(session_, nullptr); }

private:
    std::shared_ptr<tls_session> session_;
};

tls_session::tls_session(std::unique_ptr<stream> under, ssl_ptr ssl)
    : wire_(std::move(under)), ssl_(std::move(ssl))
{
    BIO* const bio = wire_.new_bio();
    SSL_set_bio(ssl_.get(), bio, bio);
    refusal_.watch(*ssl_);
}

// ---- operations ---------------------------------------------------------------------------

void tls_session::handshake(handshaken done)
{
    const std::uint64_t number = heed(done);
    greeter_.emplace(waiting_handshake{number, std::move(done)});
    advance_handshake();
}

void tls_session::read(asio::mutable_buffer into, stream::handler done)
{
    assert(!reader_ && "one read at a time");
    const std::uint64_t number = heed(done);
    reader_.emplace(waiting_read{number, into, std::move(done)});
    advance_read();
}

void tls_session::write(std::span<const asio::const_buffer> octets, stream::handler done)
{
    assert(!writer_ && "one write at a time");
    const std::uint64_t number = heed(done);
    error_code ec;
    const std::size_t taken = encrypt(octets, ec);
    const bool behind = ec == asio::error::would_block;
    writer_.emplace(waiting_write{number, {}, taken, std::move(done)});
    if (behind)
        writer_->octets.assign(octets.begin(), octets.end());
    if (ec && !behind)
        finish_write(ec, 0);
    else
        advance_write();
}

std::size_t tls_session::read_now(asio::mutable_buffer into, error_code& ec) { return decrypt(into, ec); }

std::size_t tls_session::write_now(std::span<const asio::const_buffer> octets, error_code& ec)
{
    return encrypt(octets, ec);
}

void tls_session::cancel()
{
    abort_all();
    if (!closed_)
        wire_.under().cancel();
}

void tls_session::close() noexcept
{
    if (std::exchange(closed_, true))
        return;
    // Who was still writing has given up on it.
    const bool given_up = writer_.has_value();
    abort_all();
    if (established_ && !broken_)
        say_close_notify();
    if (given_up || !wire_.owes())
        close_under();
    else
        linger();
}

// A signal may be emitted again when its operation has ended and another one stands in its place.
template <class Handler>
std::uint64_t tls_session::heed(const Handler& done)
{
    const std::uint64_t number = ++operation_;
    auto slot = asio::get_associated_cancellation_slot(done);
    if (slot.is_connected())
        slot.assign([weak = weak_from_this(), number](asio::cancellation_type) {
            if (const auto self = weak.lock())
                self->abort(number);
        });
    return number;
}

void tls_session::abort(std::uint64_t number)
{
    if (greeter_ && greeter_->number == number)
        finish_handshake(asio::error::operation_aborted);
    else if (reader_ && reader_->number == number)
        finish_read(asio::error::operation_aborted, 0);
    else if (writer_ && writer_->number == number)
        finish_write(asio::error::operation_aborted, writer_->taken);
}

void tls_session::abort_all()
{
    if (greeter_)
        finish_handshake(asio::error::operation_aborted);
    if (reader_)
        finish_read(asio::error::operation_aborted, 0);
    if (writer_)
        finish_write(asio::error::operation_aborted, writer_->taken);
}

// ---- what waits tries again ---------------------------------------------------------------

void tls_session::advance_handshake()
{
    if (!greeter_)
        return;
    ERR_clear_error();
    const int outcome = SSL_do_handshake(ssl_.get());
    const int wants = SSL_get_error(ssl_.get(), outcome);
    if (outcome == 1) {
        established_ = true;
        wire_.forget();
        flush();
        finish_handshake({});
    } else if (wants == SSL_ERROR_WANT_READ || wants == SSL_ERROR_WANT_WRITE) {
        flush();
        if (wants == SSL_ERROR_WANT_WRITE)
            return;
        if (wire_.input_end())
            finish_handshake(wire_.input_end());
        else
            listen();
    } else {
        const error_code why = break_off();
        flush(); // the alert that tells the peer
        finish_handshake(why);
    }
}

void tls_session::advance_read()
{
    if (!reader_)
        return;
    error_code ec;
    const std::size_t n = decrypt(reader_->into, ec);
    if (ec == asio::error::would_block)
        listen();
    else
        finish_read(ec, n);
}

void tls_session::advance_write()
{
    if (!writer_ || wire_.owes())
        return;
    error_code ec;
    if (!writer_->octets.empty()) {
        writer_->taken = encrypt(writer_->octets, ec);
        writer_->octets.clear();
    }
    if (ec || !wire_.owes())
        finish_write(ec, writer_->taken);
}

void tls_session::finish_handshake(error_code ec)
{
    handshaken done = std::move(greeter_->done);
    greeter_.reset();
    complete_later(under().get_executor(), std::move(done), ec, shared_from_this());
}

void tls_session::finish_read(error_code ec, std::size_t n)
{
    stream::handler done = std::move(reader_->done);
    reader_.reset();
    complete_later(under().get_executor(), std::move(done), ec, n);
}

void tls_session::finish_write(error_code ec, std::size_t n)
{
    stream::handler done = std::move(writer_->done);
    writer_.reset();
    complete_later(under().get_executor(), std::move(done), ec, n);
}

// ---- OpenSSL ------------------------------------------------------------------------------

std::size_t tls_session::decrypt(asio::mutable_buffer into, error_code& ec)
{
    ec = closed_ ? error_code(asio::error::bad_descriptor) : read_end_;
    if (ec || into.size() == 0)
        return 0;
    ERR_clear_error();
    std::size_t n = 0;
    const int outcome = SSL_read_ex(ssl_.get(), into.data(), into.size(), &n);
    const int wants = SSL_get_error(ssl_.get(), outcome);
    if (outcome != 1 && wants == SSL_ERROR_WANT_READ)
        ec = read_end_ = end_of_input();
    else if (outcome != 1 && wants == SSL_ERROR_ZERO_RETURN)
        ec = read_end_ = asio::error::eof;
    else if (outcome != 1 && wants != SSL_ERROR_WANT_WRITE)
        ec = read_end_ = break_off();
    flush(); // a read may have had to answer: alerts, new keys
    if (outcome != 1 && !ec)
        ec = asio::error::would_block;
    return n;
}

std::size_t tls_session::encrypt(std::span<const asio::const_buffer> octets, error_code& ec)
{
    ec = closed_ ? error_code(asio::error::bad_descriptor) : broken_;
    if (!ec)
        ec = wire_.output_end();
    tls_chunks chunks(octets);
    tls_chunks::scratch room; // not initialised: written before it is read
    std::size_t taken = 0;
    while (!ec && !chunks.empty() && !wire_.owes() && !wire_.output_end()) {
        const std::span<const char> chunk = chunks.next(room);
        ERR_clear_error();
        std::size_t n = 0;
        if (SSL_write_ex(ssl_.get(), chunk.data(), chunk.size(), &n) != 1)
            ec = break_off();
        chunks.advance(n);
        taken += n;
    }
    flush();
    if (taken > 0)
        ec = {}; // what broke is an error of the next operation
    else if (!ec && !chunks.empty())
        ec = asio::error::would_block;
    return taken;
}

error_code tls_session::end_of_input() const
{
    if (wire_.input_end() == asio::error::eof)
        return make_error_code(error::tls_truncated);
    return wire_.input_end();
}

error_code tls_session::break_off()
{
    trouble_ = tls_trouble::take();
    return broken_ = trouble_.code();
}

// ---- the stream below ---------------------------------------------------------------------

void tls_session::listen()
{
    if (wire_.reading() || closed_)
        return;
    const asio::mutable_buffer into = wire_.begin_read();
    under().async_read(into, [held = under_operation(shared_from_this())](
                                 error_code ec, std::size_t n) mutable { held.end()->on_came(ec, n); });
}

void tls_session::flush()
{
    if (!wire_.owes() || wire_.writing())
        return;
    const asio::const_buffer octets = wire_.begin_write();
    under().async_write({&octets, 1},
                        [held = under_operation(shared_from_this())](error_code ec, std::size_t n) mutable {
                            held.end()->on_left(ec, n);
                        });
}

void tls_session::on_came(error_code ec, std::size_t n)
{
    wire_.came(ec, n);
    if (closed_)
        return;
    advance_handshake();
    advance_read();
}

void tls_session::on_left(error_code ec, std::size_t n)
{
    wire_.left(ec, n);
    if (closed_ && (!patience_ || !wire_.owes())) {
        close_under();
        return;
    }
    flush();
    if (wire_.owes())
        return;
    advance_handshake();
    advance_read();
    advance_write();
}

// ---- the end ------------------------------------------------------------------------------

void tls_session::say_close_notify() noexcept
{
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

void tls_session::linger()
try {
    flush();
    patience_ = std::make_unique<asio::cancellation_signal>();
    auto& timers =
        asio::use_service<timer_service>(asio::query(under().get_executor(), asio::execution::context));
    auto give_up = [weak = weak_from_this()](error_code ec) {
        if (const auto self = weak.lock(); self && !ec)
            self->close_under();
    };
    timers.wait_until(timers.now() + linger_max, under().get_executor(),
                      asio::bind_cancellation_slot(patience_->slot(), std::move(give_up)));
} catch (...) {
    close_under();
}

void tls_session::close_under() noexcept
{
    if (patience_)
        patience_->emit(asio::cancellation_type::terminal);
    wire_.under().close();
}

void tls_session::abandon() noexcept
{
    closed_ = true;
    const auto greeter = std::move(greeter_);
    const auto reader = std::move(reader_);
    const auto writer = std::move(writer_);
    greeter_.reset();
    reader_.reset();
    writer_.reset();
    close_under();
}

} // namespace postrider::net
