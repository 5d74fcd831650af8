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
namespace {

// A peer on a fast line takes all we have without ever making us wait. After so many octets whoever
// else shares the event loop has his turn, and the peer is listened to.
constexpr std::size_t unbroken_max = 1024 * 1024;

} // namespace

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
        if (session_.closed())
            finish(); // cancelled before it began
        else
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
        if (!session_.closed())
            fail(error::cancelled);
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
        message_begun_ = world_->now();
        const std::uint64_t number = ++operation_;
        auto slot = asio::get_associated_cancellation_slot(done_);
        if (slot.is_connected())
            slot.assign([weak = weak_from_this(), number](asio::cancellation_type) {
                if (auto self = weak.lock())
                    asio::post(self->world_->executor(), [self, number] { self->cancel(number); });
            });
    }

    // A signal that comes as its operation ends must not end the next one.
    void cancel(std::uint64_t operation)
    {
        if (done_ && operation == operation_)
            cancel();
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
            case smtp::ask::wait:
                if (!now.goes_on)
                    watch();
                listen();
                return;
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
        if (reading_ || !open_)
            return;
        reading_ = true;
        connection_->async_read(asio::buffer(input_),
                                [self = shared_from_this()](error_code ec, std::size_t n) {
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
        if (n == input_.size())
            hear_more(n);
        else
            perform(session_.resume(heard(n)));
    }

    // More may have come than the buffer holds. The session only takes note until it has seen the
    // end of it: what it says next must not leave while input stands unread.
    void hear_more(std::size_t n)
    {
        error_code ec;
        bool goes_on = true;
        for (int reads = 0; n > 0 && reads < 64; ++reads) {
            smtp::event e = heard(n);
            e.more = true;
            const smtp::action now = session_.resume(e);
            if (now.what == smtp::ask::close) {
                perform(now);
                return;
            }
            goes_on = goes_on && now.goes_on;
            n = connection_->read_now(asio::buffer(input_), ec);
        }
        if (ec && ec != asio::error::would_block && ec != asio::error::try_again) {
            lost(ec);
            return;
        }
        smtp::action now = session_.resume(heard(n));
        now.goes_on = now.goes_on && goes_on;
        perform(now);
    }

    smtp::event heard(std::size_t n)
    {
        const std::string_view octets(input_.data(), n);
        if (options_.observer)
            options_.observer->on_heard(octets);
        return {smtp::told::received, octets};
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
                (void)session_.resume(
                    failure(error::connection_lost, ec == asio::error::eof ? std::string() : ec.message()));
                return;
            }
            smtp::event e = heard(n);
            e.more = true;
            (void)session_.resume(e);
        }
    }

    // Writes what waits in to_write_. False: the rest goes on by itself, or all is over.
    bool flush()
    {
        while (!to_write_.empty()) {
            if (unbroken_ >= unbroken_max) {
                write_later();
                return false;
            }
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
        unbroken_ = 0;
        connection_->async_write(to_write_, [self = shared_from_this()](error_code ec, std::size_t n) {
            if (self->open_)
                self->on_written(ec, n);
        });
        watch(); // this block has its own time
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
        const bool all = writing_ == smtp::told::body_written ? pump_body() : flush();
        if (all && open_)
            perform(session_.resume({writing_}));
    }

    void wrote(std::size_t n)
    {
        unbroken_ += n;
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
        message_begun_ = world_->now();
        body_octets_ = 0;
        range_ = {};
        body_ended_ = last_range_ = false;
        encoder_ = smtp::data_encoder();
        to_write_.clear();
        reader_.reset();
        const auto found = bodies_.find(message);
        source_problem_ = "the message was a stream and has been read before";
        if (found != bodies_.end())
            ask_source([&] { reader_ = found->second.open(); });
    }

    // A source is the caller's, and what it throws is one more way to fail. False: it has thrown.
    template <class Question>
    bool ask_source(Question question)
    {
        try {
            question();
            return true;
        } catch (const std::exception& x) {
            source_problem_ = x.what();
        } catch (...) {
            source_problem_ = "its source threw an exception";
        }
        return false;
    }

    body_reader::status read_source()
    {
        auto status = body_reader::status::failed;
        const auto read = [&] {
            status = reader_->read(range_);
            if (status == body_reader::status::failed)
                source_problem_ = reader_->why();
        };
        if (reader_ && !ask_source(read))
            status = body_reader::status::failed;
        return status;
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
        switch (read_source()) {
        case body_reader::status::last: last_range_ = true; [[fallthrough]];
        case body_reader::status::ready: break;
        case body_reader::status::waiting: wait_for_source(); return false;
        case body_reader::status::failed: fail(error::body_failed, source_problem_); return false;
        }
        if (!range_.empty() && std::memchr(range_.data(), 0, range_.size())) {
            fail(error::body_failed, "a NUL octet, which no message may hold (RFC 5321 §4.5.2)");
            return false;
        }
        return true;
    }

    // The session's limit for a block of the body holds for the source as well: the peer waits for us
    // no longer than that either.
    void wait_for_source()
    {
        source_waits_ = true;
        auto woken = [self = shared_from_this()](error_code ec) {
            self->source_waits_ = false;
            if (self->open_)
                self->on_source(ec);
        };
        // Posted, as a source that cannot wait says so from inside the call.
        auto later = [executor = world_->executor(), woken = std::move(woken)](error_code ec) mutable {
            asio::post(executor, [woken = std::move(woken), ec]() mutable { woken(ec); });
        };
        watch();
        listen();
        if (ask_source([&] { reader_->async_wait(std::move(later)); }))
            return;
        source_waits_ = false;
        fail(error::body_failed, source_problem_);
    }

    void on_source(error_code ec)
    {
        if (ec)
            fail(error::body_failed, ec.message());
        else
            go_on_writing();
    }

    // The peer may have said why before it closed: reading finds its words first, and then the end.
    void lost_while_writing(error_code ec)
    {
        write_error_ = ec;
        watch();
        listen();
    }

    void lost(error_code ec)
    {
        fail(error::connection_lost, ec == asio::error::eof ? std::string() : ec.message());
    }

    void on_timeout()
    {
        if (!open_ || session_.closed())
            return;
        if (message_is_overdue())
            fail(error::timed_out, "one message took all the time there is for it");
        else if (source_waits_)
            fail(error::body_failed,
                 fmt::format("its source brought nothing for {} s", effective_limit().count()));
        else
            fail(error::timed_out);
    }

    smtp::event failure(error why, std::string detail)
    {
        detail_ = std::move(detail);
        smtp::event e{smtp::told::failed};
        e.why = make_error_code(why);
        e.detail = detail_;
        e.waited = message_is_overdue() ? options_.message_max : effective_limit();
        return e;
    }

    void fail(error why, std::string detail = {})
    {
        if (options_.observer)
            options_.observer->on_network(make_error_code(why).message() +
                                          (detail.empty() ? "" : ": " + detail));
        perform(session_.resume(failure(why, std::move(detail))));
    }

    void close()
    {
        if (!std::exchange(open_, false))
            return;
        watchdog_.rest();
        connection_->cancel();
        connection_->close();
        if (reader_)
            reader_->cancel();
        if (source_waits_) // it holds us, and we hold it; and it may be what called
            asio::post(world_->executor(), [gone = std::move(reader_)] {});
    }

    void finish()
    {
        bodies_.clear(); // also of messages that never came as far as their body
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
            watchdog_.watch(
                std::min(world_->now() + effective_limit(), message_begun_ + options_.message_max));
    }

    bool message_is_overdue() const { return world_->now() >= message_begun_ + options_.message_max; }

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
    std::uint64_t operation_ = 0; // how many have begun
    std::chrono::seconds limit_{0};
    time_point message_begun_; // or the operation, if that was later
    std::string detail_;
    error_code write_error_; // writing is over, reading may still find words

    bool open_ = true;
    bool reading_ = false;
    std::array<char, 16 * 1024> input_;

    smtp::told writing_ = smtp::told::written; // what to tell when to_write_ has left
    std::vector<asio::const_buffer> to_write_;
    std::size_t unbroken_ = 0; // octets written since others had their turn

    std::map<std::uint64_t, body> bodies_;
    std::unique_ptr<body_reader> reader_;
    std::string source_problem_; // why it failed, or has nothing to read
    smtp::data_encoder encoder_;
    std::vector<std::string_view> ranges_;
    std::string_view range_; // of the source, not yet encoded
    std::uint64_t message_ = 0;
    std::uint64_t body_octets_ = 0, body_octets_total_ = 0;
    bool last_range_ = false, body_ended_ = false;
    bool source_waits_ = false; // for its next octets
};

session_driver::session_driver(std::shared_ptr<environment> world, std::unique_ptr<stream> connection,
                               driver_options options)
    : engine_(std::make_shared<engine>(std::move(world), std::move(connection), std::move(options)))
{
}

session_driver::~session_driver() { engine_->abandon(); }

void session_driver::start(handler done) { engine_->start(std::move(done)); }
void session_driver::deliver(std::vector<outgoing> messages, handler done)
{
    engine_->deliver(std::move(messages), std::move(done));
}
void session_driver::quit(handler done) { engine_->quit(std::move(done)); }
void session_driver::cancel() { engine_->cancel(); }
smtp::session& session_driver::session() noexcept { return engine_->session(); }
bool session_driver::closed() const noexcept { return engine_->closed(); }
std::string session_driver::peer() const { return engine_->peer(); }
std::uint64_t session_driver::body_octets() const noexcept { return engine_->body_octets(); }

} // namespace postrider::net
