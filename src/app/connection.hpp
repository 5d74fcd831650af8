// SPDX-License-Identifier: MIT
#pragma once
// app/connection: one stream, one protocol, and the promise that each callback is made in its order.
//
// Serves clients and servers alike. Reads while the protocol wants to, writes what it wrote, catches
// what its callbacks throw, and tells the owner once when all is over.
//
// Whatever a callback does to its own connection (writing, closing, pausing, throwing) takes effect when
// it has returned; only writing_paused() is called from inside write(). When one has ended, for whatever
// reason, the only callback that still comes is connection_lost(), from the loop.
//
// What was written in one callback leaves in one piece. lose_connection() waits for what the peer has
// not taken yet: for as long as it takes something at least every 30 seconds, and 10 minutes in all. The
// same holds where the peer has closed its side first: what it was owed still goes out.

#include "net/asio.hpp"
#include "net/clock.hpp"
#include "net/watchdog.hpp"
#include "postrider/app/factory.hpp"
#include "postrider/app/loop.hpp"
#include "postrider/app/protocol.hpp"
#include "postrider/app/reason.hpp"
#include "postrider/app/transport.hpp"
#include "postrider/stream.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postrider::app {

class connection final : public transport, public std::enable_shared_from_this<connection> {
public:
    using ended = std::function<void(const reason&)>;
    using begun = std::function<void()>;

    /// Asks `makes` for the protocol and begins: connection_made() is called from the loop. `role`
    /// stands behind the protocol's name in the log: "client"; "server,17". `when_ended` is called once,
    /// from the loop, after connection_lost(); also when no protocol could be made, with the reason, or
    /// when the factory did not want one. Until then the caller keeps what is returned. `when_made` is
    /// called when connection_made() has returned, unless that ended it.
    static std::shared_ptr<connection> begin(app::loop& where, std::shared_ptr<app::factory> makes,
                                             std::unique_ptr<stream> over, std::string role, ended when_ended,
                                             begun when_made = nullptr);

    ~connection() override;

    /// The service stops: protocol::stop_requested(), as a callback.
    void request_stop();

    /// Ends it now, for this reason; connection_lost() is called from the loop.
    void cut(reason why);

    /// What a client's owner means by closing: lose_connection(); protocols that took the stream are
    /// asked, as only they know how to end.
    void disconnect();

    /// Nothing where the factory made none, and when all is over.
    const std::shared_ptr<app::protocol>& protocol() const noexcept { return protocol_; }
    app::loop& loop() const noexcept { return loop_; }
    app::factory& factory() const noexcept { return factory_->origin(); }
    const std::string& log_prefix() const noexcept { return prefix_; } ///< "echo,server,17"

    void write(std::string octets) override;
    void lose_connection() override;
    void abort_connection() override;
    void pause_reading() override;
    void resume_reading() override;
    bool reading() const noexcept override { return !over_ && !closing_ && !paused_; }
    std::size_t waiting_octets() const noexcept override;
    void set_write_limits(std::size_t high, std::size_t low) override;
    std::string peer() const override;
    std::unique_ptr<stream> take_stream() override;
    void released(std::error_code why, std::string sentence) override;

private:
    connection(app::loop& where, std::shared_ptr<app::factory> makes, std::unique_ptr<stream> over,
               std::string role, ended when_ended);

    void build();
    void made();
    void call(const std::function<void()>& callback);
    void post(void (connection::*what)());
    bool loop_has_gone();

    void read_on();
    void on_read(error_code ec, std::size_t n);
    void deliver(std::size_t n);
    void discard_input();
    bool wants_to_read() const noexcept;
    void input_ended(error_code ec);

    void flush();
    void write_on();
    void on_written(error_code ec, std::size_t n);
    std::vector<asio::const_buffer> waiting_buffers() const;
    void taken_off(std::size_t n);
    void output_failed(error_code ec);
    void begin_closing();
    void watch_closing();

    void end(reason why);
    void finish();
    reason lost(error_code ec) const;

    app::loop& loop_;
    std::weak_ptr<loop_engine> engine_; // of loop_; gone: so is loop_
    asio::any_io_executor executor_;
    std::shared_ptr<app::factory> factory_;
    std::shared_ptr<app::protocol> protocol_;
    std::unique_ptr<stream> stream_;
    std::weak_ptr<stream> lent_; // to a protocol that took it
    std::string role_, prefix_, peer_;
    ended when_ended_;
    begun when_made_;

    unsigned callbacks_ = 0; // under way, one inside the other
    bool made_ = false, may_take_ = false, taken_ = false, over_ = false;
    reason why_;

    std::unique_ptr<char[]> input_;
    std::size_t held_ = 0; // octets of input_ that came while reading was paused
    bool reading_ = false, read_posted_ = false, paused_ = false, input_over_ = false;
    bool resumed_ = false;     // and the protocol has not been told yet
    bool end_is_held_ = false; // the peer closed its side while reading was paused

    std::deque<std::string> output_;
    std::size_t front_gone_ = 0; // octets of the first of output_ that have left
    std::size_t waiting_ = 0;
    std::size_t lent_out_ = 0; // strings that the write under way refers to
    bool writing_ = false, flush_posted_ = false, told_paused_ = false;
    std::size_t high_ = 64 * 1024, low_ = 16 * 1024;

    bool closing_ = false;
    std::optional<error_code> broken_; // what the last write said
    std::optional<net::watchdog> watchdog_;
    net::time_point closing_ends_;
};

} // namespace postrider::app
