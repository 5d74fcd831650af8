// SPDX-License-Identifier: MIT
#pragma once
// net/session_driver: the only loop that turns a session's actions into I/O.
//
// It holds no protocol: it performs the action it is given, tells what happened, and performs the
// next. What leaves is gathered from where it lies; a body and its end leave in one flush; what can
// be done without waiting is done without a round through the event loop. Reading goes on while a
// write waits for room, so that neither side blocks the other (RFC 2920 §3.1), and so that a refusal
// in mid-body is heard.
//
// Input is never taken for less than it is: before a session that rested is told of a new message,
// what has arrived meanwhile is told first.
//
// Time limits: each action has one; `wait_max` bounds every one of them, and `message_max` all that
// belong to one message, for a peer that always moves a little; a session that exceeds one
// is told and closes. One operation at a time; its handler runs on its associated executor once the
// session rests or has closed. Destroying the driver, or cancel(), ends the session at once.

#include "net/environment.hpp"
#include "postrider/body.hpp"
#include "postrider/stream.hpp"
#include "smtp/session.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace postrider::net {

/// Who looks on. Called in the order of the wire, on the driver's executor.
struct session_observer {
    virtual ~session_observer() = default;
    virtual void on_said(std::string_view octets) = 0;  ///< commands, as written
    virtual void on_heard(std::string_view octets) = 0; ///< replies, as they came
    virtual void on_body_progress(std::uint64_t message, std::uint64_t wire_octets, bool ended) = 0;
    virtual void on_network(std::string_view what) = 0; ///< "connection closed"; "timed out after 300 s"
};

struct driver_options {
    smtp::session_options session;
    std::chrono::seconds message_max = std::chrono::hours(4); ///< from one body to the next, or to rest
    std::optional<std::chrono::seconds> wait_max; ///< bounds every wait; none: those of RFC 5321 §4.5.3.2
    session_observer* observer = nullptr;         ///< must outlive the driver
};

class session_driver {
public:
    using handler = asio::any_completion_handler<void()>;

    session_driver(std::shared_ptr<environment> world, std::unique_ptr<stream> connection,
                   driver_options options);
    ~session_driver();
    session_driver(const session_driver&) = delete;
    session_driver& operator=(const session_driver&) = delete;

    /// From the connection to rest, or to the end. First, and once.
    void start(handler done);

    /// Submits the messages and goes on until all have ended. Outcomes come from session().
    struct outgoing {
        smtp::transaction envelope;
        body content;
    };
    void deliver(std::vector<outgoing> messages, handler done);

    /// QUIT, and the end.
    void quit(handler done);

    /// The same with any completion token of signature void().
    template <asio::completion_token_for<void()> Token>
    auto async_start(Token&& token)
    {
        return asio::async_initiate<Token, void()>([this](auto done) { start(std::move(done)); }, token);
    }
    template <asio::completion_token_for<void()> Token>
    auto async_deliver(std::vector<outgoing> messages, Token&& token)
    {
        return asio::async_initiate<Token, void()>(
            [this](auto done, std::vector<outgoing> m) { deliver(std::move(m), std::move(done)); }, token,
            std::move(messages));
    }
    template <asio::completion_token_for<void()> Token>
    auto async_quit(Token&& token)
    {
        return asio::async_initiate<Token, void()>([this](auto done) { quit(std::move(done)); }, token);
    }

    /// Ends the operation under way as cancelled; the connection is closed.
    void cancel();

    smtp::session& session() noexcept;
    bool closed() const noexcept;
    std::string peer() const;

    /// Octets of bodies written, for reports and progress.
    std::uint64_t body_octets() const noexcept;

private:
    class engine;
    std::shared_ptr<engine> engine_;
};

} // namespace postrider::net
