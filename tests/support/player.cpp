// SPDX-License-Identifier: MIT
// support/player: a driver for the session that reads from a script instead of a socket.

#include "support/player.hpp"

#include "base/text.hpp"
#include "postrider/error.hpp"
#include "smtp/data_encoder.hpp"
#include "smtp/session.hpp"

#include <fmt/format.h>

#include <limits>
#include <map>
#include <optional>
#include <utility>

namespace postrider::test {
namespace {

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

// One way to play a script.
struct way {
    std::string name = "whole";
    std::size_t piece = never;             // octets of the server that come at a time
    bool alone = false;                    // each piece as if nothing else were there yet
    bool late = false;                     // replies come before it is told that a command is written
    std::size_t cut_step = never;          // the conversation is cut at this step...
    bool cut_half = false;                 // ...in the middle of what the server says there
    error cut_by = error::connection_lost; // ...by this
};

std::string encoded(const std::string& text)
{
    smtp::data_encoder encoder;
    std::vector<std::string_view> ranges;
    std::string wire;
    const auto flush = [&] {
        for (const std::string_view range : ranges)
            wire += range;
        ranges.clear();
    };
    for (std::size_t at = 0; at < text.size();) {
        at += encoder.encode(std::string_view(text).substr(at), ranges);
        flush();
    }
    encoder.finish(ranges);
    flush();
    return wire;
}

// What the client's own reader is checked against: counts the replies in what the server said.
class bystander {
public:
    void hear(std::string_view octets)
    {
        for (const char c : octets) {
            line_ += c;
            if (c != '\n')
                continue;
            if (line_.size() >= 4 && line_[3] != '-')
                positive_ += line_[0] == '2' ? 1 : 0;
            line_.clear();
        }
    }

    std::size_t positive_replies() const noexcept { return positive_; }

private:
    std::string line_;
    std::size_t positive_ = 0;
};

class performance {
public:
    performance(const transcript& script, way how)
        : script_(script), how_(std::move(how)), session_({"relay.example", script.pipelining}),
          end_written_(script.messages.size())
    {
    }

    played run()
    {
        if (script_.together)
            while (submitted_ < script_.messages.size())
                submit();
        smtp::action now = session_.resume({smtp::told::connected});
        for (std::size_t turns = 0; now.what != smtp::ask::close && !done(now); ++turns) {
            if (turns > 100'000) {
                complain("the session goes on for ever");
                return std::move(result_);
            }
            if (now.what != smtp::ask::rest && now.limit.count() <= 0)
                complain("a wait without a limit");
            now = perform(now);
            collect();
        }
        collect();
        conclude();
        return std::move(result_);
    }

private:
    // A write under way.
    struct pending {
        std::string octets; // not written yet
        smtp::told done;
        std::size_t message; // told::body_written
    };

    bool as_written() const { return how_.cut_step == never && !result_.diverged; }
    bool at_cut() const { return step_ == how_.cut_step; }

    const transcript::step* next_step() const
    {
        return step_ < script_.steps.size() ? &script_.steps[step_] : nullptr;
    }
    bool next_is(char who) const { return next_step() && next_step()->who == who; }

    bool done(const smtp::action& now) const
    {
        return now.what == smtp::ask::rest && script_.stay && submitted_ == script_.messages.size() &&
               inbox_.empty() && !next_step();
    }

    void submit()
    {
        ids_[session_.submit(script_.messages[submitted_].envelope)] = submitted_;
        ++submitted_;
    }

    smtp::action perform(const smtp::action& now)
    {
        switch (now.what) {
        case smtp::ask::write: return begin_write({std::string(now.octets), smtp::told::written, 0});
        case smtp::ask::body: {
            const std::size_t message = ids_.at(now.message);
            return begin_write({encoded(script_.messages[message].text), smtp::told::body_written, message});
        }
        case smtp::ask::rest: return rest();
        case smtp::ask::wait:
        case smtp::ask::close: break;
        }
        return writing_ ? write() : listen();
    }

    smtp::action rest()
    {
        const bool server_speaks = !inbox_.empty() || (next_step() && !next_is('C'));
        if (server_speaks && !result_.diverged)
            return listen();
        if (submitted_ < script_.messages.size()) {
            submit();
            return session_.resume({smtp::told::submitted});
        }
        return script_.stay ? listen() : session_.resume({smtp::told::goodbye});
    }

    smtp::action begin_write(pending what)
    {
        if (writing_)
            complain("a write while another is under way");
        if (!inbox_.empty() && !how_.alone)
            complain("a write although more was known to have come");
        if (!inbox_.empty())
            result_.diverged = true; // pieces that came alone: it went on after the first of them
        writing_ = std::move(what);
        return write();
    }

    smtp::action write()
    {
        const bool body = writing_->done == smtp::told::body_written;
        while (!writing_->octets.empty() && !result_.diverged) {
            if (at_cut())
                return lose(how_.cut_by);
            if (next_is('!'))
                return happen();
            if (body && (next_is('S') || !inbox_.empty()))
                return listen(); // the server speaks in the middle of the body
            if (!next_is('C') || !writing_->octets.starts_with(next_step()->text)) {
                complain_of_write();
                return lose(error::connection_lost);
            }
            writing_->octets.erase(0, next_step()->text.size());
            ++step_;
        }
        const bool server_speaks = !inbox_.empty() || (next_is('S') && !at_cut());
        if (how_.late && !body && server_speaks)
            return listen();
        if (body)
            end_written_[writing_->message] = replies_.positive_replies();
        const smtp::told done = writing_->done;
        writing_.reset();
        return session_.resume({done});
    }

    void complain_of_write()
    {
        const transcript::step* s = next_step();
        const std::string due = s ? fmt::format("{}: {}", s->who, base::escaped(s->text)) : "the end";
        complain(fmt::format("line {}: expected {} but the client wrote {}", s ? s->line : 0, due,
                             base::escaped(writing_->octets)));
    }

    smtp::action listen()
    {
        if (inbox_.empty())
            fill_inbox();
        if (!inbox_.empty()) {
            const std::string piece = inbox_.substr(0, how_.piece);
            inbox_.erase(0, piece.size());
            replies_.hear(piece);
            smtp::event e{smtp::told::received, piece};
            e.more = !inbox_.empty() && !how_.alone;
            return session_.resume(e);
        }
        if (at_cut())
            return lose(how_.cut_by);
        if (next_is('!'))
            return happen();
        if (as_written())
            complain(next_step() ? fmt::format("line {}: the client waits instead of writing {}",
                                               next_step()->line, base::escaped(next_step()->text))
                                 : "the script ends while the client waits");
        return lose(error::connection_lost);
    }

    void fill_inbox()
    {
        while (result_.diverged && next_is('C'))
            ++step_;
        while (next_is('S')) {
            const std::string& text = next_step()->text;
            if (at_cut()) {
                if (how_.cut_half && !std::exchange(half_taken_, true))
                    inbox_ += text.substr(0, text.size() / 2);
                return;
            }
            inbox_ += text;
            ++step_;
        }
    }

    smtp::action happen()
    {
        static const std::map<std::string_view, error> happenings{
            {"connection lost", error::connection_lost},
            {"timed out", error::timed_out},
            {"cancelled", error::cancelled},
            {"body fails", error::body_failed},
            {"body is 8-bit", error::eight_bit_body},
        };
        const std::string& what = next_step()->text;
        ++step_;
        const auto found = happenings.find(what);
        if (found == happenings.end())
            complain("the network does not know '" + what + "'");
        return lose(found == happenings.end() ? error::connection_lost : found->second);
    }

    smtp::action lose(error why)
    {
        collect();
        smtp::event e{smtp::told::failed};
        e.why = make_error_code(why);
        e.waited = std::chrono::seconds(300);
        return session_.resume(e);
    }

    void collect()
    {
        while (const auto ended = session_.take_settled()) {
            if (ended_ == submitted_ || ids_.at(ended->id) != ended_) {
                complain("a message came back out of order, or twice");
                return;
            }
            if (ended->outcomes.size() != script_.messages[ended_].envelope.recipients.size())
                complain("a message came back without one outcome a recipient");
            for (const smtp::outcome& o : ended->outcomes) {
                check_honesty(o, end_written_[ended_]);
                result_.outcomes.push_back(o);
            }
            ++ended_;
        }
    }

    // `end_written`: how many positive replies had come when the end of data was written, if it was.
    void check_honesty(const smtp::outcome& o, std::optional<std::size_t> end_written)
    {
        const std::string claim = std::string(to_string(o.verdict)) + " was claimed ";
        const bool after_end = end_written && replies_.positive_replies() > *end_written;
        if (o.verdict == verdict::delivered && !after_end)
            complain(claim + "without a 2yz after the end of data");
        if (o.verdict == verdict::delivered && (o.error || !o.said))
            complain(claim + "and an error with it, or no reply");
        if (o.error && (o.verdict == verdict::in_doubt) != end_written.has_value())
            complain(claim + "with the end of data " + (end_written ? "written" : "not written"));
        if (!o.error && o.verdict != verdict::delivered && !o.our_status && !decides(o))
            complain(claim + "without a reason");
    }

    static bool decides(const smtp::outcome& o)
    {
        if (!o.said)
            return false;
        const bool too_many = o.where == phase::rcpt && o.said->code() == 552;
        return o.verdict == (o.said->permanent() && !too_many ? verdict::refused : verdict::deferred) ||
               (too_many && o.verdict == verdict::refused);
    }

    void conclude()
    {
        if (ended_ != submitted_)
            complain(fmt::format("{} messages were submitted and {} came back", submitted_, ended_));
        if (const auto& broke = session_.failure())
            result_.failure = !broke->why.empty() ? broke->why : broke->said->to_string();
        if (as_written() && step_ < script_.steps.size())
            complain(fmt::format("line {} was never reached", script_.steps[step_].line));
        if (!inbox_.empty() && result_.failure.empty() && session_.state() == smtp::session_state::closed &&
            as_written())
            complain("the client closed in peace before it had heard all");
        if (!inbox_.empty() && how_.alone)
            result_.diverged = true; // it closed before it could know more
    }

    void complain(std::string what) { result_.complaints.push_back(how_.name + ": " + std::move(what)); }

    const transcript& script_;
    way how_;
    smtp::session session_;
    std::vector<std::optional<std::size_t>> end_written_; // by message
    played result_;
    std::map<std::uint64_t, std::size_t> ids_;
    std::string inbox_;
    std::optional<pending> writing_;
    bystander replies_;
    std::size_t submitted_ = 0, ended_ = 0, step_ = 0;
    bool half_taken_ = false;
};

bool as_expected(const smtp::outcome& o, const transcript::expected& e)
{
    return o.verdict == e.verdict && (!e.code || (o.said && o.said->code() == *e.code));
}

std::string difference(const smtp::outcome& o, const transcript::expected& e)
{
    return fmt::format("line {}: {} is {} ({}), expected {} {}", e.line, e.recipient, to_string(o.verdict),
                       o.said ? o.said->to_string() : o.why, to_string(e.verdict), e.code.value_or(0));
}

// What is written against what came out.
void compare(const transcript& script, const way& how, const played& got,
             std::vector<std::string>& complaints)
{
    const auto complain = [&](std::string what) { complaints.push_back(how.name + ": " + std::move(what)); };
    const bool cut = how.cut_step != never;
    if (!cut && got.outcomes.size() != script.outcomes.size())
        complain(fmt::format("{} outcomes, expected {}", got.outcomes.size(), script.outcomes.size()));
    for (std::size_t i = 0; i < std::min(got.outcomes.size(), script.outcomes.size()); ++i) {
        // An outcome that names an error was lost, and honesty has been checked. What the server
        // decided stands; a session that had to go on blindly may have heard it say more.
        const smtp::outcome& o = got.outcomes[i];
        const bool lost = (cut || got.diverged) && o.error;
        if (!lost && !got.diverged && !as_expected(o, script.outcomes[i]))
            complain(difference(o, script.outcomes[i]));
    }
    if (cut || got.diverged)
        return;
    if (script.failure && (got.failure.empty() || got.failure.find(*script.failure) == std::string::npos))
        complain("the failure says '" + got.failure + "', expected '" + *script.failure + "'");
    if (!script.failure && !got.failure.empty())
        complain("the conversation broke: " + got.failure);
}

// The outcomes are in the order of the messages' recipients: their names must agree.
void check_names(const transcript& script, std::vector<std::string>& complaints)
{
    std::size_t i = 0;
    for (const transcript::message& m : script.messages) {
        for (const address& recipient : m.envelope.recipients) {
            if (i < script.outcomes.size() && address(script.outcomes[i].recipient) == recipient)
                ++i;
            else
                complaints.push_back("no outcome is written for " + recipient.to_string(true) +
                                     ", in its place");
        }
    }
    if (i != script.outcomes.size())
        complaints.push_back("an outcome is written for a recipient whom nobody named");
}

std::vector<way> ways_to_play(const transcript& script)
{
    std::vector<way> ways{{}};
    ways.push_back({"replies before written is told", never, false, true});
    for (const std::size_t piece : {1u, 2u, 7u, 60u}) {
        ways.push_back({fmt::format("pieces of {}", piece), piece});
        ways.push_back({fmt::format("pieces of {}, each alone", piece), piece, true});
        ways.push_back({fmt::format("pieces of {}, before written is told", piece), piece, false, true});
    }
    for (std::size_t step = 0; step < script.steps.size(); ++step) {
        const int line = script.steps[step].line;
        ways.push_back({fmt::format("cut at line {}", line), never, false, false, step});
        ways.push_back(
            {fmt::format("timed out at line {}", line), never, false, false, step, false, error::timed_out});
        ways.push_back(
            {fmt::format("cancelled at line {}", line), never, false, false, step, false, error::cancelled});
        if (script.steps[step].who == 'S')
            ways.push_back({fmt::format("cut within line {}", line), never, false, false, step, true});
    }
    return ways;
}

} // namespace

played play(const transcript& script) { return performance(script, {}).run(); }

std::vector<std::string> check(const transcript& script)
{
    std::vector<std::string> complaints;
    check_names(script, complaints);
    for (const way& how : ways_to_play(script)) {
        const played got = performance(script, how).run();
        complaints.insert(complaints.end(), got.complaints.begin(), got.complaints.end());
        compare(script, how, got, complaints);
    }
    return complaints;
}

std::vector<std::string> check(std::string_view text) { return check(transcript::parse(text)); }

} // namespace postrider::test
