// SPDX-License-Identifier: MIT
#pragma once
// delivery/client: one connection to one server, and messages over it.
//
//     postrider::client smtp(co_await asio::this_coro::executor);
//     co_await smtp.async_connect(postrider::server("mail.example.org"));
//     auto report = co_await smtp.async_send(message);
//
// A server that says no is no error: the report has its words. An error is a conversation that could
// not go on; then too the report has one verdict for every recipient, under every completion token
// (postrider/completion.hpp). A connection that the server closed while it rested is made again,
// once; nothing is sent twice that may have been accepted.
//
// One operation at a time: a second one ends at once with error::operation_in_progress. Handlers run
// on their associated executor, never inside the call. After a cancel (terminal, partial or total)
// the connection is closed and the report says how far things got. One thread, or one strand.

#include "postrider/completion.hpp"
#include "postrider/message.hpp"
#include "postrider/report.hpp"
#include "postrider/server.hpp"
#include "postrider/settings.hpp"
#include "postrider/stream.hpp"
#include "postrider/verdict.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace postrider {

/// How connecting went.
struct connect_report {
    std::string host;                    ///< as given: "mail.example.org"
    std::string peer;                    ///< the address that was reached: "192.0.2.1:25"
    std::vector<std::string> extensions; ///< the keywords that the server offered, in upper case
    phase where = phase::none;           ///< where it failed
    std::optional<reply> said;           ///< the greeting, or the words that ended it
    std::string why;                     ///< one sentence; empty if all is well
    verdict meaning = verdict::untried;  ///< what a failure means for messages that wait
    std::optional<enhanced_code> status; ///< of the failure
};

/// What a throwing completion token throws when connecting failed.
class connect_error : public std::system_error {
public:
    connect_error(std::error_code why, connect_report what);
    const connect_report& report() const noexcept { return report_; }

private:
    connect_report report_;
};

struct client_engine;

class client {
public:
    explicit client(boost::asio::any_io_executor executor, settings how = {});
    client(client&&) noexcept;
    client& operator=(client&&) noexcept;
    ~client(); ///< closes the connection at once, without QUIT; an operation under way ends as cancelled

    boost::asio::any_io_executor get_executor() const;

    /// Resolves the name, connects to one of its addresses, and gets as far as the reply to EHLO.
    /// An open connection is closed first.
    template <class Token = default_token>
    auto async_connect(server where, Token&& token = Token())
    {
        return initiate<connect_report>(
            std::forward<Token>(token),
            connecting{impl_, std::make_shared<server>(std::move(where)), nullptr});
    }

    /// The same over a stream that is connected already. The client owns it.
    template <class Token = default_token>
    auto async_connect(std::unique_ptr<stream> over, Token&& token = Token())
    {
        return initiate<connect_report>(std::forward<Token>(token),
                                        connecting{impl_, nullptr, std::move(over)});
    }

    /// Sends one message.
    template <class Token = default_token>
    auto async_send(message what, Token&& token = Token())
    {
        return initiate<report>(std::forward<Token>(token), sending_one{impl_, std::move(what)});
    }

    /// Sends messages one after the other; a report for each, in their order.
    template <class Token = default_token>
    auto async_send_all(std::vector<message> what, Token&& token = Token())
    {
        return initiate<std::vector<report>>(std::forward<Token>(token), sending_all{impl_, std::move(what)});
    }

    /// Says QUIT and closes the connection. What the server makes of it changes nothing: no error.
    template <class Token = default_token>
    auto async_quit(Token&& token = Token())
    {
        return boost::asio::async_initiate<Token, void()>(
            [](auto done, std::shared_ptr<client_engine> impl) {
                start_quit(std::move(impl), boost::asio::any_completion_handler<void()>(std::move(done)));
            },
            token, impl_);
    }

    /// Ends the operation under way; closes the connection.
    void cancel();

    bool is_open() const noexcept; ///< connected, as far as is known

private:
    friend struct client_engine;
    explicit client(std::shared_ptr<client_engine> impl) : impl_(std::move(impl)) {}

    struct connecting {
        std::shared_ptr<client_engine> impl;
        std::shared_ptr<server> where;
        std::unique_ptr<stream> over;
        void operator()(completion<connect_report> done);
    };
    struct sending_one {
        std::shared_ptr<client_engine> impl;
        message what;
        void operator()(completion<report> done);
    };
    struct sending_all {
        std::shared_ptr<client_engine> impl;
        std::vector<message> what;
        void operator()(completion<std::vector<report>> done);
    };
    static void start_quit(std::shared_ptr<client_engine> impl,
                           boost::asio::any_completion_handler<void()> done);

    std::shared_ptr<client_engine> impl_;
};

} // namespace postrider
