// SPDX-License-Identifier: MIT
// net/session_driver: performing actions.
//
// Callbacks rather than a coroutine: with reading and writing under way at once, a body source that
// may wait and a watchdog, four things can happen next, and a linear reading would lie. All of them
// end in perform().

#include "net/session_driver.hpp"

#include "net/complete.hpp"
#include "net/watchdog.hpp"
#include "postrider/error.hpp"
#include "smtp/data_encoder.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>

namespace postrider::net {

class session_driver::engine : public std::enable_shared_from_this<engine> {
public:
    engine(std::shared_ptr<environment> world, std::unique_ptr<stream> connection, driver_options options)
        : world_(std::move(world)), connection_(std::move(connection)), options_(std::move(options)),
          session_(options_.session), watchdog_(world_, [this] { on_timeout(); }), peer_(connection_->peer())
    {
    }

    void start(handler done)
    {
        begin(std::move(done));
        perform(session_.resume({smtp::told::connected}));
    }

    void deliver(std::vector<outgoing> messages, handler done)
    {
        begin(std::move(done));
        for (outgoing& m : messages) {
            const std::uint64_t id = session_.submit(std::move(m.envelope));
            bodies_.emplace(id, std::move(m.content));
        }
        if (!session_.closed())
            take_what_came_at_rest();
        perform(session_.resume({smtp::told::submitted}));
    }

    void quit(handler done)
    {
        begin(std::move(done));
        perform(session_.resume({smtp::told::goodbye}));
    }

    void cancel()
    {
        if (done_)
            fail(error::cancelled);
        else
            close();
    }

    void abandon()
    {
        close();
        done_ = nullptr;
    }

    smtp::session& session() noexcept { return session_; }
    bool closed() const noexcept { return !open_ || session_.closed(); }
    const std::string& peer() const noexcept { return peer_; }
    std::uint64_t body_octets() const noexcept { return body_octets_total_; }

private:
    void begin(handler done)
    {
        done_.swap(done); // Asio 1.81's move assignment never ends
        auto slot = asio::get_associated_cancellation_slot(done_);
        if (slot.is_connected())
            slot.assign([weak = weak_from_this()](asio::cancellation_type) {
                if (auto self = weak.lock())
                    asio::post(self->world_->executor(), [self] {
                        if (self->done_)
                            self->fail(error::cancelled);
                    });
            });
    }

    // Performs actions until one has to wait for the world.
    void perform(smtp::action now)
    {
        for (;;) {
            limit_ = now.limit;
            switch (now.what) {
            case smtp::ask::write:
                observe_said(now.octets);
                to_write_.assign(1, asio::buffer(now.octets.data(), now.octets.size()));
                writing_ = smtp::told::written;
                if (!flush())
                    return;
                now = session_.resume({smtp::told::written});
                break;
            case smtp::ask::body:
                open_body(now.message);
                writing_ = smtp::told::body_written;
                if (!pump_body())
                    return;
                now = session_.resume({smtp::told::body_written});
                break;
            case smtp::ask::wait: listen(); return;
            case smtp::ask::rest:
                watchdog_.rest();
                finish();
                return;
            case smtp::ask::close:
                close();
                finish();
                return;
            }
        }
    }

    void listen()
    {
        watch();
        if (reading_ || !open_)
            return;
        reading_ = true;
        connection_->async_read(asio::buffer(input_), [self = shared_from_this()](error_code ec, std::size_t n) {
            self->reading_ = false;
            if (self->open_)
                self->on_read(ec, n);
        });
    }

    void on_read(error_code ec, std::size_t n)
    {
        if (ec) {
            lost(write_error_ && ec == asio::error::eof ? write_error_ : ec);
            return;
        }
        perform(hear(n));
    }

    smtp::action hear(std::size_t n)
    {
        const std::string_view octets(input_.data(), n);
        if (options_.observer)
            options_.observer->on_heard(octets);
        smtp::event e{smtp::told::received, octets};
        e.more = n == input_.size();
        return session_.resume(e);
    }

    // A server may have said goodbye, or nonsense, while nothing was asked.
    void take_what_came_at_rest()
    {
        for (int reads = 0; reads < 64 && !session_.closed(); ++reads) {
            error_code ec;
            const std::size_t n = connection_->read_now(asio::buffer(input_), ec);
            if (ec == asio::error::would_block || ec == asio::error::try_again)
                return;
            if (ec) {
                (void)session_.resume(failure(error::connection_lost, ec == asio::error::eof ? std::string() : ec.message()));
                return;
            }
            const std::string_view octets(input_.data(), n);
            if (options_.observer)
                options_.observer->on_heard(octets);
            smtp::event e{smtp::told::received, octets};
            e.more = true;
            (void)session_.resume(e);
        }
    }

    // Writes what waits in to_write_. False: the rest goes on by itself, or all is over.
    bool flush()
    {
        while (!to_write_.empty()) {
            error_code ec;
            const std::size_t n = connection_->write_now(to_write_, ec);
            if (ec == asio::error::would_block || ec == asio::error::try_again) {
                write_later();
                return false;
            }
            if (ec) {
                lost_while_writing(ec);
                return false;
            }
            wrote(n);
        }
        return true;
    }

    void write_later()
    {
        connection_->async_write(to_write_, [self = shared_from_this()](error_code ec, std::size_t n) {
            if (self->open_)
                self->on_written(ec, n);
        });
        listen();
    }

    void on_written(error_code ec, std::size_t n)
    {
        if (ec) {
            lost_while_writing(ec);
            return;
        }
        wrote(n);
        go_on_writing();
    }

    void go_on_writing()
    {
        watch(); // a block was taken: the next has its own time
        const bool all = writing_ == smtp::told::body_written ? pump_body() : flush();
        if (all && open_)
            perform(session_.resume({writing_}));
    }

    void wrote(std::size_t n)
    {
        if (writing_ == smtp::told::body_written)
            body_octets_ += n;
        auto first = to_write_.begin();
        while (first != to_write_.end() && n >= first->size())
            n -= first++->size();
        to_write_.erase(to_write_.begin(), first);
        if (n > 0)
            to_write_.front() += n;
    }

    void open_body(std::uint64_t message)
    {
        message_ = message;
        body_octets_ = 0;
        range_ = {};
        body_ended_ = last_range_ = false;
        encoder_ = smtp::data_encoder();
        const auto found = bodies_.find(message);
        reader_ = found == bodies_.end() ? nullptr : found->second.open();
        to_write_.clear();
    }

    // Takes the body from its source through the encoder to the wire, as far as that goes without
    // waiting. True: the last octet is with the operating system.
    bool pump_body()
    {
        while (flush()) {
            report_progress();
            if (body_ended_) {
                body_octets_total_ += body_octets_;
                bodies_.erase(message_);
                reader_.reset();
                return true;
            }
            if (!gather())
                return false;
        }
        report_progress();
        return false;
    }

    // Fills to_write_ from the source. False: it has to wait, or is broken.
    bool gather()
    {
        if (range_.empty() && !last_range_ && !next_range())
            return false;
        ranges_.clear();
        const std::size_t taken = encoder_.encode(range_, ranges_);
        range_.remove_prefix(taken);
        if (encoder_.eight_bit() && !session_.offered().eight_bit_mime()) {
            fail(error::eight_bit_body);
            return false;
        }
        if (range_.empty() && last_range_) {
            encoder_.finish(ranges_);
            body_ended_ = true;
        }
        for (std::string_view r : ranges_)
            to_write_.push_back(asio::buffer(r.data(), r.size()));
        return true;
    }

    bool next_range()
    {
        const auto status = reader_ ? reader_->read(range_) : body_reader::status::failed;
        switch (status) {
        case body_reader::status::last: last_range_ = true; [[fallthrough]];
        case body_reader::status::ready: break;
        case body_reader::status::waiting: wait_for_source(); return false;
        case body_reader::status::failed:
            fail(error::body_failed, reader_ ? reader_->why() : "the message was a stream and has been read before");
            return false;
        }
        if (const void* nul = std::memchr(range_.data(), 0, range_.size()); nul && !range_.empty()) {
            fail(error::body_failed, "a NUL octet, which no message may hold (RFC 5321 §4.5.2)");
            return false;
        }
        return true;
    }

    void wait_for_source()
    {
        reader_->async_wait([self = shared_from_this()](error_code ec) {
            if (!self->open_)
                return;
            if (ec)
                self->fail(error::body_failed, ec.message());
            else
                self->go_on_writing();
        });
        listen();
    }

    // The peer may have said why before it closed: reading finds its words first, and then the end.
    void lost_while_writing(error_code ec)
    {
        write_error_ = ec;
        listen();
    }

    void lost(error_code ec)
    {
        if (ec == asio::error::operation_aborted)
            return; // by close(), cancel() or the watchdog, which have told already
        fail(error::connection_lost, ec == asio::error::eof ? std::string() : ec.message());
    }

    void on_timeout()
    {
        if (open_ && !session_.closed())
            fail(error::timed_out);
    }

    smtp::event failure(error why, std::string detail)
    {
        detail_ = std::move(detail);
        smtp::event e{smtp::told::failed};
        e.why = make_error_code(why);
        e.detail = detail_;
        e.waited = effective_limit();
        return e;
    }

    void fail(error why, std::string detail = {})
    {
        if (options_.observer)
            options_.observer->on_network(make_error_code(why).message() + (detail.empty() ? "" : ": " + detail));
        perform(session_.resume(failure(why, std::move(detail))));
    }

    void close()
    {
        if (!std::exchange(open_, false))
            return;
        watchdog_.rest();
        if (reader_)
            reader_->cancel();
        connection_->cancel();
        connection_->close();
    }

    void finish()
    {
        if (done_)
            complete_later(world_->executor(), std::exchange(done_, nullptr));
    }

    std::chrono::seconds effective_limit() const
    {
        return options_.wait_max ? std::min(*options_.wait_max, limit_) : limit_;
    }

    void watch()
    {
        if (limit_.count() > 0)
            watchdog_.watch(world_->now() + effective_limit());
    }

    void observe_said(std::string_view octets)
    {
        if (options_.observer)
            options_.observer->on_said(octets);
    }

    void report_progress()
    {
        if (options_.observer && open_)
            options_.observer->on_body_progress(message_, body_octets_, body_ended_ && to_write_.empty());
    }

    std::shared_ptr<environment> world_;
    std::unique_ptr<stream> connection_;
    driver_options options_;
    smtp::session session_;
    watchdog watchdog_;
    std::string peer_;
    handler done_;
    std::chrono::seconds limit_{0};
    std::string detail_;
    error_code write_error_; // writing is over, reading may still find words

    bool open_ = true;
    bool reading_ = false;
    std::array<char, 16 * 1024> input_;

    smtp::told writing_ = smtp::told::written;   // what to tell when to_write_ has left
    std::vector<asio::const_buffer> to_write_;

    std::map<std::uint64_t, body> bodies_;
    std::unique_ptr<body_reader> reader_;
    smtp::data_encoder encoder_;
    std::vector<std::string_view> ranges_;
    std::string_view range_;                     // of the source, not yet encoded
    std::uint64_t message_ = 0;
    std::uint64_t body_octets_ = 0, body_octets_total_ = 0;
    bool last_range_ = false, body_ended_ = false;
};

session_driver::session_driver(std::shared_ptr<environment> world, std::unique_ptr<stream> connection, driver_options options)
    : engine_(std::make_shared<engine>(std::move(world), std::move(connection), std::move(options)))
{
}

session_driver::~session_driver() { engine_->abandon(); }

void session_driver::start(handler done) { engine_->start(std::move(done)); }
void session_driver::deliver(std::vector<outgoing> messages, handler done) { engine_->deliver(std::move(messages), std::move(done)); }
void session_driver::quit(handler done) { engine_->quit(std::move(done)); }
void session_driver::cancel() { engine_->cancel(); }
smtp::session& session_driver::session() noexcept { return engine_->session(); }
bool session_driver::closed() const noexcept { return engine_->closed(); }
std::string session_driver::peer() const { return engine_->peer(); }
std::uint64_t session_driver::body_octets() const noexcept { return engine_->body_octets(); }

} // namespace postrider::net
