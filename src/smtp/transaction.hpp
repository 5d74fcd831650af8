// SPDX-License-Identifier: MIT
#pragma once
// smtp/transaction: one mail transaction: what goes in, and what became of it for each recipient.
//
// RFC 5321 §3.3: MAIL, one or more RCPT, DATA. The body is not here: the driver streams it when the
// session asks for it.

#include "postrider/address.hpp"
#include "postrider/reply.hpp"
#include "postrider/verdict.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace postrider::smtp {

/// What is known about a body before it is sent (RFC 6152).
enum class body_octets {
    seven_bit, ///< no octet above 0x7f
    eight_bit, ///< at least one
    unknown,   ///< a stream that nobody has read yet; the driver stops it if it must
};

struct transaction {
    std::optional<address> reverse_path; ///< none: the null reverse-path, MAIL FROM:<>
    std::vector<address> recipients;     ///< at least one
    body_octets octets = body_octets::unknown;
};

/// What became of a message for one recipient, as far as one session can know.
struct outcome {
    postrider::verdict verdict = postrider::verdict::untried;
    phase where = phase::none;               ///< where it was decided
    std::string command;                     ///< what the reply answers: "RCPT TO:<bob@b.example>"
    std::shared_ptr<const reply> said;       ///< the server's words, if it said any
    std::error_code error;                   ///< set if the conversation broke
    std::optional<enhanced_code> our_status; ///< when we decided, without a reply: 5.6.7
    std::string why;                         ///< our own words; empty where the reply says it all
};

/// A transaction that has ended, with one outcome a recipient, in their order.
struct settled_transaction {
    std::uint64_t id;
    std::vector<outcome> outcomes;
};

} // namespace postrider::smtp
