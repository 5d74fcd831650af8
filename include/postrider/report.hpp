// SPDX-License-Identifier: MIT
#pragma once
// delivery/report: what became of a message, for each of its recipients.
//
// Text that a server said is in `said` and nowhere else but escaped; `why` is ours. There is always
// exactly one entry a recipient, in the order of the envelope, whatever happened.

#include "postrider/address.hpp"
#include "postrider/reply.hpp"
#include "postrider/verdict.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace postrider {

struct recipient_report {
    explicit recipient_report(address who) : recipient(std::move(who)) {}

    address recipient;
    postrider::verdict verdict = postrider::verdict::untried;
    phase where = phase::none;           ///< where it was decided
    std::string host;                    ///< the server's name: "mx1.example.org"
    std::string peer;                    ///< its address: "192.0.2.1:25"
    std::string command;                 ///< what `said` answers: "RCPT TO:<bob@example.org>"
    std::optional<reply> said;           ///< the server's words
    std::optional<enhanced_code> status; ///< the server's, or ours where we decided
    std::string why;                     ///< one sentence, fit to be shown: what happened
    std::error_code error;               ///< set if a conversation broke
};

class report {
public:
    report() = default;
    explicit report(std::vector<recipient_report> all) : recipients(std::move(all)) {}

    std::vector<recipient_report> recipients;

    bool all_delivered() const noexcept; ///< and there is at least one
    std::size_t count(verdict v) const noexcept;
};

/// What a throwing completion token throws when a conversation broke: the error and the whole report.
class send_error : public std::system_error {
public:
    send_error(std::error_code why, report what);

    const postrider::report& report() const noexcept { return report_; }

private:
    postrider::report report_;
};

} // namespace postrider
