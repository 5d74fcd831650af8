// SPDX-License-Identifier: MIT
#pragma once
// delivery/mx_calculator: which hosts take the mail of a domain, in the order in which to try them.
//
//     postrider::mx_calculator mx(executor);
//     for (const auto& host : (co_await mx.async_get_mx("example.net")).hosts) ...
//
// As the mailer orders them (RFC 5321 §5.1, RFC 7505); it is for programs that make their own
// connections. Hosts that were marked bad come last, until the time is over; they are not left out.
// Marks are of this object, bounded in number (10,000) and gone with it.
//
// Domains are taken as people write them: upper case, U-labels, a final dot, an address literal in its
// brackets. Whether a host has an address is not looked up: who connects to it finds out.
//
// Operations may overlap. One thread, or one strand.

#include "postrider/completion.hpp"
#include "postrider/settings.hpp"
#include "postrider/verdict.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace postrider::app {
class loop;
}

namespace postrider {

struct mail_exchanger {
    std::string host;        ///< "mx1.example.net", lower case; or an IP address, of a domain in brackets
    unsigned preference = 0; ///< lower is better
    bool implicit = false;   ///< the domain itself, which has no MX record
    bool bad = false;        ///< marked so, and put last for it
};

struct mail_exchangers {
    std::vector<mail_exchanger> hosts;  ///< in the order of trying
    verdict meaning = verdict::untried; ///< without hosts: refused (no such domain, null MX) or deferred
    std::string why;                    ///< without hosts: one sentence
    std::vector<std::string> notes;     ///< what was wrong in DNS and could be passed over
};

/// What a throwing completion token throws when there is no host: error::lookup_failed and why.
class mx_error : public std::system_error {
public:
    mx_error(std::error_code why, mail_exchangers what);
    const mail_exchangers& found() const noexcept { return found_; }

private:
    mail_exchangers found_;
};

struct mx_engine;

class mx_calculator {
public:
    explicit mx_calculator(boost::asio::any_io_executor executor, settings how = {});

    /// With the loop's DNS, unless `how` names servers. The loop must outlive it.
    explicit mx_calculator(app::loop& loop, settings how = {});
    mx_calculator(mx_calculator&&) noexcept;
    mx_calculator& operator=(mx_calculator&&) noexcept;
    ~mx_calculator(); ///< look-ups under way end as cancelled

    /// Completes with at least one host, or with error::lookup_failed, cancelled or invalid_argument (no
    /// domain can have this name, or a setting cannot be used) and `why` in what it found.
    template <class Token = default_token>
    auto async_get_mx(std::string domain, Token&& token = Token())
    {
        return initiate<mail_exchangers>(std::forward<Token>(token), asking{impl_, std::move(domain)});
    }

    /// `host` as it was given; a name that no host can have is not kept.
    void mark_bad(const std::string& host);
    void mark_good(const std::string& host);
    void bad_time(
        std::chrono::seconds how_long); ///< for marks from now on: an hour by default, a year at most

private:
    friend struct mx_engine;
    struct asking {
        std::shared_ptr<mx_engine> impl;
        std::string domain;
        void operator()(completion<mail_exchangers> done);
    };
    std::shared_ptr<mx_engine> impl_;
};

} // namespace postrider
