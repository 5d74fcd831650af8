// SPDX-License-Identifier: MIT
#pragma once
// policy/failure: the one place that says what a failure means.
//
// Facts go in (what DNS said, why a connection did not come about, how a session ended for one
// recipient), a decision comes out: may another host of the domain be tried now, is it worth trying
// later, and what is the recipient told if nothing better comes.
//
// The rules, and what they weigh:
// - Until the end of data was written nothing can be duplicated, so whatever befell one *host* (no
//   connection, a greeting or hello that says no, a lost line, nonsense, 421, a system that is full)
//   sends us to the next one (RFC 5321 §5.1). Only when all hosts have failed does it count, and
//   permanently only if all of them said a permanent no: one that was away might have said yes.
// - What was said about *this message or this recipient* is the site's word, whichever host said it:
//   5yz is final, 4yz means later. RFC 5321 §5.1 would allow to carry a 4yz to the next host. We do
//   not: the next one is mostly the same policy again (each host asked is one more entry for a
//   greylist), or a backup that takes everything and bounces it later. The exceptions are 421 and
//   the enhanced codes 4.3.z, which speak of the system and not of the mailbox (RFC 3463 §3.4).
// - What this message needs and a host does not offer (8BITMIME, SMTPUTF8) another host may offer.
// - After the end of data was written and no reply came, the message may be accepted. No other host
//   is tried, for that is how duplicates are made (RFC 5321 §4.5.3.2.6).
// - Cancelling is nobody's failure: what was not begun is untried.
//
// Replies in sentences are escaped and bounded. RFC 3463 and its registry name the codes.

#include "dns/answer.hpp"
#include "postrider/reply.hpp"
#include "postrider/verdict.hpp"
#include "smtp/mail_progress.hpp" // session_failure
#include "smtp/transaction.hpp"   // outcome

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace postrider::policy {

/// A verdict that we found ourselves, with a sentence for the person who has to act on it.
struct trouble {
    postrider::verdict verdict = verdict::deferred;
    enhanced_code status;
    std::string sentence; ///< without a final stop
};

enum class next_step {
    done,      ///< delivered
    next_host, ///< another host of this domain may be tried at once; if there is none, see `meaning`
    later,     ///< not now, and at no other host now
    never,     ///< trying again is no use
    doubt,     ///< perhaps delivered: no other host, and again only if a duplicate is the smaller evil
};

struct decision {
    next_step step;
    trouble meaning; ///< what holds if nothing better comes
};

/// How one attempt to connect failed.
struct connect_failure {
    std::string host;    ///< "mx1.example.org"
    std::string address; ///< "192.0.2.1", with its port if that is not 25
    std::error_code why; ///< from the operating system, or postrider::error
    std::chrono::seconds waited{0};
};

/// What an answer from DNS means that holds nothing to go on with; nothing if it is in order.
/// `wanted` completes "could not look up ...": "the mail exchangers of example.org".
std::optional<trouble> decide_lookup(std::string_view wanted, const dns::answer& answer);

/// A connection that did not come about.
decision decide_connect(const connect_failure& failure);

/// A host of which no address accepted a connection; the failures in their order, at least one.
decision decide_unreachable(std::string_view host, std::span<const connect_failure> failures);

/// What became of one recipient in a session with `host`, in its own words if it said any.
decision decide_outcome(const smtp::outcome& outcome, std::string_view host);

/// A session with `host` that ended before this message was put in.
decision decide_session(const smtp::session_failure& failure, std::string_view host);

/// The verdict when the last host has been tried and each said next_host, in the order of trying.
/// At least one. `domain` is named in the sentence if there were several.
trouble decide_all_hosts(std::string_view domain, std::span<const decision> tried);

} // namespace postrider::policy
