// SPDX-License-Identifier: MIT
// app/connection: reading, writing, and the end.

#include "app/connection.hpp"

#include "app/loop_engine.hpp"
#include "postrider/error.hpp"

#include <boost/asio/bind_executor.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace postrider::app {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t input_octets = 16 * 1024;
constexpr int reads_in_a_row = 8;           // then others have their turn
constexpr std::size_t join_octets = 8'192;  // small writes become one string up to here
constexpr std::size_t buffers_at_once = 16; // as many as a socket_stream takes
constexpr std::size_t marks_to_cut = 16;    // high marks
constexpr auto closing_idle = 30s;
constexpr auto closing_total = 10min;
constexpr auto last_words = 5s;

// What a protocol gets that takes the stream: the connection can still cut it, and letting go of it
// closes it.
class lent_stream final : public stream {
public:
    explicit lent_stream(std::shared_ptr<stream> real) : real_(std::move(real)) {}
    ~lent_stream() override { real_->close(); }

    asio::any_io_executor get_executor() override { return real_->get_executor(); }
    void async_read(asio::mutable_buffer into, handler done) override
    {
        real_->async_read(into, std::move(done));
    }
    void async_write(std::span<const asio::const_buffer> octets, handler done) override
    {
        real_->async_write(octets, std::move(done));
    }
    std::size_t read_now(asio::mutable_buffer into, error_code& ec) override
    {
        return real_->read_now(into, ec);
    }
    std::size_t write_now(std::span<const asio::const_buffer> octets, error_code& ec) override
    {
        return real_->write_now(octets, ec);
    }
    void cancel() override { real_->cancel(); }
    void close() noexcept override { real_->close(); }
    std::string peer() const override { return real_->peer(); }
    std::string local_literal() const override { return real_->local_literal(); }

private:
    std::shared_ptr<stream> real_;
};

bool is_not_now(const error_code& ec)
{
    return ec == asio::error::would_block || ec == asio::error::try_again;
}

bool is_loss(const error_code& ec)
{
    return ec == asio::error::eof || ec == asio::error::connection_reset || ec == asio::error::broken_pipe ||
           ec == asio::error::connection_aborted;
}

} // namespace

connection::connection(app::loop& where, std::shared_ptr<app::factory> makes, std::unique_ptr<stream> over,
                       std::string role, ended when_ended)
    : loop_(where), engine_(where.engine().weak_from_this()), executor_(where.get_executor()),
      factory_(std::move(makes)), stream_(std::move(over)), role_(std::move(role)),
      prefix_(factory_->log_prefix() + ',' + role_), peer_(stream_->peer()),
      when_ended_(std::move(when_ended))
{
}

connection::~connection()
{
    if (protocol_)
        protocol_->connection_ = nullptr;
}

std::shared_ptr<connection> connection::begin(app::loop& where, std::shared_ptr<app::factory> makes,
                                              std::unique_ptr<stream> over, std::string role,
                                              ended when_ended, begun when_made)
{
    std::shared_ptr<connection> made(
        new connection(where, std::move(makes), std::move(over), std::move(role), std::move(when_ended)));
    made->when_made_ = std::move(when_made);
    made->call([&made] { made->build(); });
    if (made->over_)
        return made;
    if (made->protocol_)
        made->post(&connection::made);
    else
        made->end(reason(std::error_code(),
                         fmt::format("the factory did not want a connection with {}", made->peer_)));
    return made;
}

void connection::build()
{
    std::shared_ptr<app::protocol> built = factory_->build_protocol(peer_);
    if (!built)
        return;
    if (built->connection_)
        throw std::logic_error("build_protocol() returned a protocol that has a connection already: it must "
                               "make a new one for each");
    prefix_ = built->log_prefix() + ',' + role_;
    protocol_ = std::move(built);
    protocol_->connection_ = this;
}

void connection::made()
{
    if (over_)
        return;
    made_ = may_take_ = true;
    call([this] { protocol_->connection_made(); });
    may_take_ = false;
    if (const begun tell = std::exchange(when_made_, nullptr); tell && !over_)
        tell();
    read_on();
}

// Every callback goes through here.
void connection::call(const std::function<void()>& callback)
{
    const auto self = shared_from_this();
    ++callbacks_;
    const std::exception_ptr thrown = guarded(loop_, prefix_, callback);
    --callbacks_;
    if (thrown)
        end(reason(thrown));
    if (callbacks_ == 0)
        flush();
}

void connection::post(void (connection::*what)())
{
    asio::post(executor_, [self = shared_from_this(), what] {
        if (!self->loop_has_gone())
            ((*self).*what)();
    });
}

// On the program's own executor what was under way comes back after an application that was destroyed.
// Nobody can be told then, and nothing of it may be touched.
bool connection::loop_has_gone()
{
    if (!engine_.expired())
        return false;
    over_ = true;
    when_ended_ = nullptr;
    watchdog_.reset();
    if (stream_)
        stream_->close();
    if (protocol_)
        protocol_->connection_ = nullptr;
    protocol_.reset();
    return true;
}

// ---- reading ------------------------------------------------------------------------------------

// While it closes it reads on, and throws away: a peer that must first get rid of its own words may not
// take ours before.
bool connection::wants_to_read() const noexcept
{
    return !over_ && !taken_ && !reading_ && !input_over_ && !end_is_held_ && (closing_ || !paused_);
}

void connection::read_on()
{
    read_posted_ = false;
    if (std::exchange(resumed_, false) && reading() && made_ && !taken_)
        call([this] { protocol_->reading_resumed(); });
    if (end_is_held_ && !over_ && (closing_ || !paused_)) {
        end_is_held_ = false;
        input_ended(asio::error::eof);
        return;
    }
    if (!wants_to_read())
        return;
    if (const std::size_t n = std::exchange(held_, 0); n > 0)
        deliver(n);
    if (!wants_to_read())
        return;
    if (!input_)
        input_ = std::make_unique_for_overwrite<char[]>(input_octets);
    reading_ = true;
    stream_->async_read(
        asio::buffer(input_.get(), input_octets),
        asio::bind_executor(executor_, [self = shared_from_this()](error_code ec, std::size_t n) {
            if (!self->loop_has_gone())
                self->on_read(ec, n);
        }));
}

void connection::on_read(error_code ec, std::size_t n)
{
    reading_ = false;
    for (int reads = 1; !over_; ++reads) {
        if (n > 0)
            deliver(n);
        if (ec == asio::error::eof && paused_ && !closing_)
            end_is_held_ = true; // what the protocol still holds of before comes first
        else if (ec && !over_)
            input_ended(ec);
        if (!wants_to_read() || held_ > 0 || reads == reads_in_a_row)
            break;
        n = stream_->read_now(asio::buffer(input_.get(), input_octets), ec);
        if (is_not_now(ec))
            break;
    }
    read_on();
}

void connection::deliver(std::size_t n)
{
    if (closing_)
        return;
    if (paused_) {
        held_ = n; // was under way when the protocol asked for a pause
        return;
    }
    const std::string_view octets(input_.get(), n);
    call([this, &octets] { protocol_->data_received(octets); });
}

// What the peer is owed goes out, although it will say no more.
void connection::input_ended(error_code ec)
{
    input_over_ = true;
    if (broken_)
        end(lost(*broken_));
    else if (ec != asio::error::eof)
        end(lost(ec));
    else if (waiting_ == 0)
        end(reason(std::error_code(), fmt::format("{} closed the connection", peer_)));
    else
        begin_closing();
}

// Closing a socket with unread input resets the connection, and our last words may be lost with it.
void connection::discard_input()
{
    if (reading_ || taken_ || input_over_)
        return;
    std::array<char, 4'096> unread;
    error_code ec;
    for (int reads = 0; reads < reads_in_a_row && !ec; ++reads)
        stream_->read_now(asio::buffer(unread), ec);
}

void connection::pause_reading() { paused_ = true; }

void connection::resume_reading()
{
    if (!std::exchange(paused_, false))
        return;
    resumed_ = true;
    if (!std::exchange(read_posted_, true))
        post(&connection::read_on);
}

// ---- writing ------------------------------------------------------------------------------------

void connection::write(std::string octets)
{
    if (taken_)
        throw std::logic_error("write() after take_stream(): who took the stream writes to it");
    if (over_ || closing_ || broken_ || octets.empty())
        return;
    const std::size_t n = octets.size();
    if (told_paused_ && (waiting_ + n) / marks_to_cut > high_) {
        end(reason(make_error_code(std::errc::no_buffer_space),
                   fmt::format("{} takes less than is written: {} octets are waiting", peer_, waiting_ + n)));
        return;
    }
    waiting_ += n;
    if (output_.size() > lent_out_ && output_.back().size() + n <= join_octets)
        output_.back() += octets;
    else
        output_.push_back(std::move(octets));
    if (waiting_ > high_ && !told_paused_) {
        flush();
        if (waiting_ > high_ && !over_ && !closing_ && !broken_) {
            told_paused_ = true;
            call([this] { protocol_->writing_paused(); });
        }
    } else if (callbacks_ == 0 && !std::exchange(flush_posted_, true)) {
        post(&connection::flush);
    }
}

std::vector<asio::const_buffer> connection::waiting_buffers() const
{
    std::vector<asio::const_buffer> all;
    std::size_t gone = front_gone_;
    for (const std::string& one : output_) {
        if (all.size() == buffers_at_once)
            break;
        all.push_back(asio::buffer(one) + std::exchange(gone, 0));
    }
    return all;
}

// One attempt at once; what does not go then goes when the peer takes it, so that one busy connection
// does not keep the loop.
void connection::flush()
{
    flush_posted_ = false;
    if (over_ || taken_ || writing_ || broken_)
        return;
    if (!output_.empty()) {
        error_code ec;
        const std::size_t n = stream_->write_now(waiting_buffers(), ec);
        if (ec && !is_not_now(ec)) {
            output_failed(ec);
            return;
        }
        taken_off(n);
    }
    write_on();
}

void connection::write_on()
{
    if (output_.empty()) {
        if (closing_)
            end(why_);
        return;
    }
    const std::vector<asio::const_buffer> octets = waiting_buffers();
    writing_ = true;
    lent_out_ = octets.size();
    auto written = [self = shared_from_this()](error_code ec, std::size_t n) {
        if (!self->loop_has_gone())
            self->on_written(ec, n);
    };
    stream_->async_write(octets, asio::bind_executor(executor_, std::move(written)));
    if (closing_)
        watch_closing();
}

void connection::on_written(error_code ec, std::size_t n)
{
    writing_ = false;
    lent_out_ = 0;
    if (over_)
        return;
    taken_off(n);
    if (ec) {
        output_failed(ec);
        return;
    }
    write_on();
    if (told_paused_ && waiting_ <= low_ && !over_ && !closing_) {
        told_paused_ = false;
        call([this] { protocol_->writing_resumed(); });
    }
}

void connection::taken_off(std::size_t n)
{
    waiting_ -= n;
    n += std::exchange(front_gone_, 0);
    while (!output_.empty() && n >= output_.front().size()) {
        n -= output_.front().size();
        output_.pop_front();
    }
    front_gone_ = n;
}

// A peer that closes in mid-sentence often said why before: what it said is still read.
void connection::output_failed(error_code ec)
{
    output_.clear();
    waiting_ = front_gone_ = 0;
    broken_ = ec;
    if (closing_ || paused_ || input_over_) {
        end(lost(ec));
        return;
    }
    watchdog_.emplace(loop_.engine().world(), [this] { end(lost(*broken_)); });
    watchdog_->watch(loop_.engine().world()->now() + last_words);
    if (!std::exchange(read_posted_, true))
        post(&connection::read_on);
}

std::size_t connection::waiting_octets() const noexcept { return waiting_; }

void connection::set_write_limits(std::size_t high, std::size_t low)
{
    if (high == 0 || low > high)
        throw std::invalid_argument("set_write_limits(): the low mark must not be above the high one, and "
                                    "that not be 0");
    high_ = high;
    low_ = low;
}

std::string connection::peer() const { return peer_; }

// ---- the stream itself --------------------------------------------------------------------------

std::unique_ptr<stream> connection::take_stream()
{
    if (!may_take_ || taken_ || over_ || closing_ || waiting_ > 0)
        throw std::logic_error("take_stream() is for connection_made(), once, and before the first write()");
    taken_ = true;
    std::shared_ptr<stream> real = std::move(stream_);
    lent_ = real;
    return std::make_unique<lent_stream>(std::move(real));
}

void connection::released(std::error_code why, std::string sentence)
{
    if (!taken_)
        throw std::logic_error("released() without take_stream()");
    if (!why && sentence.empty())
        end(reason());
    else
        end(reason(why, std::move(sentence)));
}

// ---- the end ------------------------------------------------------------------------------------

void connection::lose_connection()
{
    if (over_ || closing_)
        return;
    if (taken_) {
        end(reason());
        return;
    }
    begin_closing();
}

void connection::begin_closing()
{
    closing_ = true;
    held_ = 0;
    if (input_over_)
        why_ = reason(std::error_code(), fmt::format("{} closed the connection", peer_));
    if (broken_) {
        end(lost(*broken_));
        return;
    }
    if (writing_)
        watch_closing();
    if (callbacks_ == 0 && !std::exchange(flush_posted_, true))
        post(&connection::flush);
    if (!std::exchange(read_posted_, true))
        post(&connection::read_on);
}

void connection::watch_closing()
{
    const auto& world = loop_.engine().world();
    if (!watchdog_) {
        closing_ends_ = world->now() + closing_total;
        watchdog_.emplace(world, [this] {
            end(reason(make_error_code(error::timed_out),
                       fmt::format("{} did not take the last {} octets", peer_, waiting_)));
        });
    }
    watchdog_->watch(std::min<net::time_point>(world->now() + closing_idle, closing_ends_));
}

void connection::abort_connection()
{
    end(reason(make_error_code(error::cancelled), fmt::format("the connection with {} was aborted", peer_)));
}

void connection::disconnect()
{
    if (taken_)
        request_stop();
    else
        lose_connection();
}

void connection::request_stop()
{
    asio::post(executor_, [self = shared_from_this()] {
        if (!self->loop_has_gone() && !self->over_ && !self->closing_ && self->made_)
            self->call([&self] { self->protocol_->stop_requested(); });
    });
}

void connection::cut(reason why) { end(std::move(why)); }

reason connection::lost(error_code ec) const
{
    if (is_loss(ec))
        return reason(make_error_code(error::connection_lost),
                      ec == asio::error::eof
                          ? fmt::format("lost the connection with {}", peer_)
                          : fmt::format("lost the connection with {}: {}", peer_, ec.message()));
    return reason(ec, fmt::format("the connection with {} failed: {}", peer_, ec.message()));
}

void connection::end(reason why)
{
    if (std::exchange(over_, true))
        return;
    why_ = std::move(why);
    watchdog_.reset();
    if (stream_) {
        if (why_.clean())
            discard_input();
        stream_->close();
    } else if (const auto lent = lent_.lock()) {
        lent->close();
    }
    post(&connection::finish);
}

void connection::finish()
{
    if (made_)
        call([this] { protocol_->connection_lost(why_); });
    if (protocol_)
        protocol_->connection_ = nullptr;
    protocol_.reset();
    if (const ended tell = std::exchange(when_ended_, nullptr))
        tell(why_);
}

} // namespace postrider::app
