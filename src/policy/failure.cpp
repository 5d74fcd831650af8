// SPDX-License-Identifier: MIT
// policy/failure: facts to decisions, one function for each kind of fact.

#include "policy/failure.hpp"

#include "base/text.hpp"
#include "postrider/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace postrider::policy {
namespace {

constexpr enhanced_code no_such_domain{5, 1, 2};
constexpr enhanced_code directory_failed{4, 4, 3};

std::string server_of(const dns::answer& answer)
{
    return answer.asked.empty() ? std::string("the resolver") : base::escaped(answer.asked, 128);
}

/// What a session or an outcome knows, in one shape.
struct fact {
    postrider::verdict verdict;
    phase where;
    const std::string& command;
    const reply* said;
    std::error_code error;
    std::optional<enhanced_code> our_status;
    const std::string& why;
};

bool about_the_connection(phase where) noexcept { return where <= phase::starttls; }

/// 421 says goodbye, and 4.3.z speaks of the system: another host may be well.
bool about_the_host(const reply& said) noexcept
{
    return said.code() == 421 || (said.transient() && said.enhanced() && said.enhanced()->subject == 3);
}

bool says_no(const fact& f) noexcept { return f.said && (f.said->permanent() || f.said->transient()); }

int class_of(verdict v) noexcept
{
    switch (v) {
    case verdict::delivered: return 2;
    case verdict::refused: return 5;
    case verdict::deferred:
    case verdict::in_doubt:
    case verdict::untried: break;
    }
    return 4;
}

// Subject and detail as somebody said them; the class is that of the verdict, always.
enhanced_code status_of(const fact& f)
{
    const int status = class_of(f.verdict);
    const auto& given = f.our_status || !f.said ? f.our_status : f.said->enhanced();
    if (given)
        return {status, given->subject, given->detail};
    if (says_no(f)) // X.3.2: a system that is not accepting network messages
        return about_the_connection(f.where) ? enhanced_code{status, 3, 2} : enhanced_code{status, 0, 0};
    if (f.error == error::protocol_broken || f.error == error::out_of_step)
        return {status, 5, 0};
    if (f.error == error::body_failed)
        return {status, 3, 0};
    if (f.where == phase::starttls)
        return {status, 7, 5}; // cryptographic failure
    if (f.error)
        return {status, 4, 2}; // bad connection
    return {status, 0, 0};
}

std::string sentence_of(const fact& f, std::string_view host)
{
    if (f.said && (!f.error || says_no(f))) {
        const std::string command = f.command.empty() ? std::string(to_string(f.where))
                                                      : base::escaped(f.command, 512);
        return fmt::format("{} answered {} with {}", host, command, f.said->to_string());
    }
    if (!f.why.empty())
        return fmt::format("{}: {}", host, f.why);
    if (f.error)
        return fmt::format("{}: {} ({})", host, f.error.message(), to_string(f.where));
    return fmt::format("{} was not told of this message", host);
}

decision decided(next_step step, verdict what, fact f, std::string_view host)
{
    f.verdict = what;
    return {step, {what, status_of(f), sentence_of(f, host)}};
}

decision decide_reply(const fact& f, std::string_view host)
{
    // The session knows of permanent words that mean "later": 552 to RCPT (RFC 5321 §4.5.3.1.10), and what
    // was about another message.
    const bool for_good = f.said->permanent() && f.verdict != verdict::deferred;
    const verdict what = for_good ? verdict::refused : verdict::deferred;
    const bool before_the_end = f.where != phase::end_of_data;
    if (about_the_connection(f.where) || (before_the_end && about_the_host(*f.said)))
        return decided(next_step::next_host, what, f, host);
    return decided(what == verdict::refused ? next_step::never : next_step::later, what, f, host);
}

decision decide_fact(const fact& f, std::string_view host)
{
    if (f.verdict == verdict::delivered)
        return decided(next_step::done, verdict::delivered, f, host);
    if (f.verdict == verdict::in_doubt)
        return decided(next_step::doubt, verdict::in_doubt, f, host);
    if (f.error == error::cancelled)
        return decided(next_step::later, f.verdict, f, host);
    if (f.verdict == verdict::untried) // whatever ended the session, it was not about this recipient
        return decided(next_step::next_host, verdict::deferred, f, host);
    if (says_no(f))
        return decide_reply(f, host);
    if (f.error == error::body_failed) // its next reader would fare no better
        return decided(next_step::later, verdict::deferred, f, host);
    // Either something befell the conversation, or this host does not offer what the message needs.
    return decided(next_step::next_host, f.verdict, f, host);
}

bool lacks_resources(const std::error_code& why)
{
    return why == std::errc::too_many_files_open || why == std::errc::too_many_files_open_in_system ||
           why == std::errc::no_buffer_space || why == std::errc::not_enough_memory;
}

std::string connect_sentence(const connect_failure& f)
{
    const bool is_address = f.address == f.host || f.address.starts_with(f.host + ":") ||
                            f.address.starts_with("[" + f.host + "]:");
    const std::string whom = is_address ? f.address : fmt::format("{} [{}]", f.host, f.address);
    if (f.why == std::errc::connection_refused)
        return whom + " refused the connection";
    if (f.why == std::errc::timed_out || f.why == error::timed_out) {
        if (f.waited.count() == 0)
            return whom + " did not answer";
        return fmt::format("{} did not answer within {}", whom, base::counted(f.waited.count(), "second"));
    }
    if (f.why == std::errc::host_unreachable || f.why == std::errc::network_unreachable ||
        f.why == error::unreachable)
        return whom + " cannot be reached from here";
    return fmt::format("connecting to {} failed: {}", whom, f.why.message());
}

} // namespace

std::optional<trouble> decide_lookup(std::string_view wanted, const dns::answer& answer)
{
    const std::string server = server_of(answer);
    const auto deferred = [](std::string sentence) {
        return trouble{verdict::deferred, directory_failed, std::move(sentence)};
    };
    switch (answer.status) {
    case dns::lookup_status::cancelled:
        return trouble{verdict::untried, directory_failed,
                       fmt::format("looking up {} was cancelled", wanted)};
    case dns::lookup_status::timed_out:
        return deferred(fmt::format("looking up {}: no answer came in time from {}", wanted, server));
    case dns::lookup_status::unreachable:
        return deferred(fmt::format("looking up {}: {} could not be asked{}{}", wanted, server,
                                    answer.why.empty() ? "" : ": ", answer.why));
    case dns::lookup_status::answered: break;
    }
    // Before the code: a forged NXDOMAIN must not bounce mail.
    if (answer.trust == dns::security::bogus)
        return deferred(
            fmt::format("looking up {}: the signatures of the answer from {} do not hold (DNSSEC){}{}",
                        wanted, server, answer.why.empty() ? "" : ": ", answer.why));
    if (answer.code == dns::rcode::no_error)
        return std::nullopt;
    if (answer.code == dns::rcode::name_error)
        return trouble{
            verdict::refused, no_such_domain,
            fmt::format("looking up {}: there is no such domain ({} answered NXDOMAIN)", wanted, server)};
    return deferred(
        fmt::format("looking up {}: {} answered {}", wanted, server, dns::to_string(answer.code)));
}

decision decide_connect(const connect_failure& f)
{
    if (f.why == error::cancelled || f.why == std::errc::operation_canceled)
        return {next_step::later,
                {verdict::untried, {4, 4, 1}, fmt::format("connecting to {} was cancelled", f.host)}};
    // Another host would need the same descriptors and buffers.
    if (lacks_resources(f.why))
        return {next_step::later, {verdict::deferred, {4, 3, 0}, connect_sentence(f)}};
    return {next_step::next_host, {verdict::deferred, {4, 4, 1}, connect_sentence(f)}};
}

decision decide_unreachable(std::string_view host, std::span<const connect_failure> failures)
{
    assert(!failures.empty());
    decision found = decide_connect(failures.back());
    for (const connect_failure& f : failures)
        if (decision d = decide_connect(f); d.step != next_step::next_host)
            return d;
    if (failures.size() > 1)
        found.meaning.sentence = fmt::format("none of the {} of {} accepted a connection: {}",
                                             base::counted(failures.size(), "address"), host,
                                             found.meaning.sentence);
    return found;
}

decision decide_outcome(const smtp::outcome& o, std::string_view host)
{
    const fact f{o.verdict, o.where, o.command, o.said.get(), o.error, o.our_status, o.why};
    return decide_fact(f, host);
}

decision decide_session(const smtp::session_failure& failure, std::string_view host)
{
    fact f{verdict::deferred, failure.where, failure.command, failure.said.get(),
           failure.error,     std::nullopt,  failure.why};
    if (f.error == error::cancelled)
        return decided(next_step::later, verdict::untried, f, host);
    // Nothing of this message was said, so what was said later than the hello was about another one.
    if (says_no(f) && f.said->permanent() && about_the_connection(f.where))
        f.verdict = verdict::refused;
    return decided(next_step::next_host, f.verdict, f, host);
}

trouble decide_all_hosts(std::string_view domain, std::span<const decision> tried)
{
    assert(!tried.empty());
    // The last one that leaves hope tells most: it is what keeps the message waiting.
    const auto hope = std::find_if(tried.rbegin(), tried.rend(),
                                   [](const decision& d) { return d.meaning.verdict != verdict::refused; });
    trouble found = (hope == tried.rend() ? tried.back() : *hope).meaning;
    if (tried.size() > 1)
        found.sentence = fmt::format("none of the {} of {} that were tried took the message: {}",
                                     base::counted(tried.size(), "host"), domain, found.sentence);
    return found;
}

} // namespace postrider::policy
