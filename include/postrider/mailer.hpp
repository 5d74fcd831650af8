// SPDX-License-Identifier: MIT
#pragma once
// delivery/mailer: brings messages to the mail exchangers of their recipients' domains.
//
//     postrider::mailer direct(executor);
//     auto report = co_await direct.async_deliver(message);
//
// Recipients are grouped by domain; the groups are worked on at the same time, up to
// settings::connections_max() connections. For each: the domain's exchangers from DNS, in order
// (RFC 5321 §5.1), every address of each (RFC 8305), until one has decided. A host that failed is
// remembered for a while and tried last. One verdict for every recipient, whatever happens; a
// failure of the world is a verdict too, so the only errors are error::cancelled and
// error::invalid_argument.
//
// Operations may overlap. Handlers run on their associated executor, never inside the call. One
// thread, or one strand.

#include "postrider/completion.hpp"
#include "postrider/message.hpp"
#include "postrider/report.hpp"
#include "postrider/settings.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postrider {

/// What would be done for one domain.
struct planned_route {
    std::string domain;
    std::vector<address> recipients;
    struct host {
        std::string name;
        unsigned preference = 0;
        bool implicit = false;              ///< the domain itself, which has no MX record
        std::vector<std::string> addresses; ///< in the order of trying: "192.0.2.1:25"
        std::string why;                    ///< without addresses: what DNS said
    };
    std::vector<host> hosts;             ///< in the order of trying
    verdict meaning = verdict::deferred; ///< of `why`
    std::string why;                     ///< without hosts: why there are none
    std::vector<std::string> notes;      ///< what was wrong in DNS and could be passed over
};

struct mailer_engine;

class mailer {
public:
    explicit mailer(boost::asio::any_io_executor executor, settings how = {});
    mailer(mailer&&) noexcept;
    mailer& operator=(mailer&&) noexcept;
    ~mailer(); ///< operations under way end as cancelled

    boost::asio::any_io_executor get_executor() const;

    template <class Token = default_token>
    auto async_deliver(message what, Token&& token = Token())
    {
        return initiate<report>(std::forward<Token>(token), delivering_one{impl_, std::move(what)});
    }

    /// Messages for the same domain go over one connection. A report for each, in their order.
    template <class Token = default_token>
    auto async_deliver_all(std::vector<message> what, Token&& token = Token())
    {
        return initiate<std::vector<report>>(std::forward<Token>(token),
                                             delivering_all{impl_, std::move(what)});
    }

    /// Asks DNS only: where the message would go.
    template <class Token = default_token>
    auto async_plan(envelope what, Token&& token = Token())
    {
        return initiate<std::vector<planned_route>>(std::forward<Token>(token),
                                                    planning{impl_, std::move(what)});
    }

    void cancel(); ///< ends all operations

private:
    friend struct mailer_engine;
    explicit mailer(std::shared_ptr<mailer_engine> impl) : impl_(std::move(impl)) {}

    struct delivering_one {
        std::shared_ptr<mailer_engine> impl;
        message what;
        void operator()(completion<report> done);
    };
    struct delivering_all {
        std::shared_ptr<mailer_engine> impl;
        std::vector<message> what;
        void operator()(completion<std::vector<report>> done);
    };
    struct planning {
        std::shared_ptr<mailer_engine> impl;
        envelope what;
        void operator()(completion<std::vector<planned_route>> done);
    };

    std::shared_ptr<mailer_engine> impl_;
};

} // namespace postrider
