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

namespace postrider::test {
namespace {

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

// One way to play a script.
struct way {
    std::string name = "whole";
    std::size_t piece = never;    // octets of the server that come at a time
    bool alone = false;           // each piece as if nothing else were there yet
    std::size_t cut_step = never; // the connection is lost at this step...
    bool cut_half = false;        // ...in the middle of what the server says there
};

std::string encoded(const std::string& text)
{
    smtp::data_encoder encoder;
    std::vector<std::string_view> ranges;
    std::string wire;
    for (std::size_t at = 0; at < text.size();) {
        at += encoder.encode(std::string_view(text).substr(at), ranges);
        for (std::string_view r : ranges)
            wire += r;
        ranges.clear();
    }
    encoder.finish(ranges);
    for (std::string_view r : ranges)
        wire += r;
    return wire;
}

class performance {
public:
    performance(const transcript& script, way how)
        : script_(script), how_(std::move(how)), session_({"relay.example", script.pipelining}),
          end_written_(script.messages.size(), false)
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
            now = perform(now);
            collect();
        }
        collect();
        if (const auto& broke = session_.failure())
            result_.failure = !broke->why.empty() ? broke->why : broke->said->to_string();
        if (as_written() && step_ < script_.steps.size())
            complain("line " + std::to_string(script_.steps[step_].line) + " was never reached");
        return std::move(result_);
    }

    /// Messages that had ended before the connection was lost.
    std::size_t ended_before_loss() const { return ended_before_loss_; }
    bool end_written(std::size_t message) const { return end_written_[message]; }

private:
    bool as_written() const { return how_.cut_step == never && !diverged_; }
    const transcript::step* next_step() const { return step_ < script_.steps.size() ? &script_.steps[step_] : nullptr; }

    bool done(const smtp::action& now) const
    {
        return now.what == smtp::ask::rest && script_.stay && submitted_ == script_.messages.size() && !next_step();
    }

    void submit() { ids_[session_.submit(script_.messages[submitted_].envelope)] = submitted_, ++submitted_; }

    smtp::action perform(const smtp::action& now)
    {
        switch (now.what) {
        case smtp::ask::write: return write(std::string(now.octets), smtp::told::written);
        case smtp::ask::body: return write_body(ids_.at(now.message));
        case smtp::ask::rest:
            if (next_step() && next_step()->who != 'C' && !diverged_)
                return listen(); // the server speaks while nothing is asked
            if (submitted_ < script_.messages.size()) {
                submit();
                return session_.resume({smtp::told::submitted});
            }
            return script_.stay ? listen() : session_.resume({smtp::told::goodbye});
        default: return listen();
        }
    }

    smtp::action write_body(std::size_t message)
    {
        std::string wire = encoded(script_.messages[message].text);
        const bool interrupted = next_step() && next_step()->who != 'C' && !diverged_;
        if (interrupted) // the script lets the server speak, or the network fail, in mid-body
            return next_step()->who == '!' ? happen() : listen();
        const smtp::action next = write(std::move(wire), smtp::told::body_written, [&] { end_written_[message] = true; });
        return next;
    }

    template <class F = void (*)()>
    smtp::action write(std::string octets, smtp::told done, F on_written = [] {})
    {
        if (!inbox_.empty())
            diverged_ = true; // pieces that came alone: it went on after the first of them
        while (!octets.empty() && !diverged_) {
            const transcript::step* s = next_step();
            if (step_ == how_.cut_step)
                return lose(error::connection_lost);
            if (s && s->who == '!')
                return happen();
            if (s && s->who == 'S' && done == smtp::told::body_written)
                return listen(); // in the middle of the body
            if (!s || s->who != 'C' || !octets.starts_with(s->text)) {
                complain(fmt::format("line {}: expected {}: {} but the client wrote {}", s ? s->line : 0, s ? s->who : '-',
                                     s ? base::escaped(s->text) : "the end", base::escaped(octets)));
                return lose(error::connection_lost);
            }
            octets.erase(0, s->text.size());
            ++step_;
        }
        on_written();
        return session_.resume({done});
    }

    smtp::action listen()
    {
        if (inbox_.empty())
            fill_inbox();
        if (!inbox_.empty()) {
            const std::string piece = inbox_.substr(0, how_.piece);
            inbox_.erase(0, piece.size());
            smtp::event e{smtp::told::received, piece};
            e.more = !inbox_.empty() && !how_.alone;
            return session_.resume(e);
        }
        if (step_ != how_.cut_step && next_step() && next_step()->who == '!')
            return happen();
        if (as_written())
            complain(next_step() ? fmt::format("line {}: the client waits instead of writing {}", next_step()->line,
                                               base::escaped(next_step()->text))
                                 : "the script ends while the client waits");
        return lose(error::connection_lost);
    }

    void fill_inbox()
    {
        while (diverged_ && next_step() && next_step()->who == 'C')
            ++step_;
        while (next_step() && next_step()->who == 'S') {
            if (step_ == how_.cut_step) {
                if (how_.cut_half && !half_taken_)
                    inbox_ += next_step()->text.substr(0, next_step()->text.size() / 2);
                half_taken_ = true;
                return;
            }
            inbox_ += next_step()->text;
            ++step_;
        }
    }

    smtp::action happen()
    {
        const std::string& what = next_step()->text;
        ++step_;
        if (what == "connection lost")
            return lose(error::connection_lost);
        if (what == "timed out")
            return lose(error::timed_out);
        if (what == "cancelled")
            return lose(error::cancelled);
        if (what == "body fails")
            return lose(error::body_failed);
        complain("the network does not know '" + what + "'");
        return lose(error::connection_lost);
    }

    smtp::action lose(error why)
    {
        collect();
        ended_before_loss_ = ended_;
        smtp::event e{smtp::told::failed};
        e.why = make_error_code(why);
        e.waited = std::chrono::seconds(300);
        return session_.resume(e);
    }

    void collect()
    {
        while (auto ended = session_.take_settled()) {
            if (ids_.at(ended->id) != ended_)
                complain("messages came back out of order");
            if (ended->outcomes.size() != script_.messages[ended_].envelope.recipients.size())
                complain("a message came back without one outcome a recipient");
            for (smtp::outcome& o : ended->outcomes)
                result_.outcomes.push_back(std::move(o));
            ++ended_;
        }
    }

    void complain(std::string what) { result_.complaints.push_back(how_.name + ": " + std::move(what)); }

    const transcript& script_;
    way how_;
    smtp::session session_;
    std::vector<bool> end_written_; // by message
    played result_;
    std::map<std::uint64_t, std::size_t> ids_;
    std::string inbox_;
    std::size_t submitted_ = 0, ended_ = 0, step_ = 0;
    std::size_t ended_before_loss_ = never;
    bool diverged_ = false, half_taken_ = false;
};

// What is written against what came out.
void compare(const transcript& script, const way& how, const played& got, std::vector<std::string>& complaints)
{
    const auto complain = [&](std::string what) { complaints.push_back(how.name + ": " + std::move(what)); };
    if (got.outcomes.size() != script.outcomes.size()) {
        complain(fmt::format("{} outcomes, expected {}", got.outcomes.size(), script.outcomes.size()));
        return;
    }
    for (std::size_t i = 0; i < got.outcomes.size(); ++i) {
        const transcript::expected& e = script.outcomes[i];
        const smtp::outcome& o = got.outcomes[i];
        const bool same_code = !e.code || (o.said && o.said->code() == *e.code);
        // In pieces that come alone the session may find out later what is wrong, and may then know less.
        const bool honestly_worse = how.alone && o.verdict != verdict::delivered && o.error;
        if ((o.verdict != e.verdict || !same_code) && !honestly_worse)
            complain(fmt::format("line {}: {} is {} ({}), expected {} {}", e.line, e.recipient, to_string(o.verdict),
                                 o.said ? o.said->to_string() : o.why, to_string(e.verdict), e.code.value_or(0)));
    }
    if (how.alone)
        return;
    if (script.failure && got.failure.find(*script.failure) == std::string::npos)
        complain("the failure says '" + got.failure + "', expected '" + *script.failure + "'");
    if (!script.failure && !got.failure.empty())
        complain("the conversation broke: " + got.failure);
}

// After a cut: nothing invented, nothing kept back.
void check_honesty(const transcript& script, const way& how, const played& got, const performance& p,
                   std::vector<std::string>& complaints)
{
    std::size_t i = 0;
    for (std::size_t m = 0; m < script.messages.size(); ++m) {
        for (std::size_t r = 0; r < script.messages[m].envelope.recipients.size(); ++r, ++i) {
            if (i >= got.outcomes.size() || i >= script.outcomes.size())
                continue;
            const verdict v = got.outcomes[i].verdict;
            const bool deserved = script.outcomes[i].verdict == verdict::delivered;
            const bool open = m >= p.ended_before_loss();
            if (v == verdict::delivered && (open || !deserved))
                complaints.push_back(how.name + ": called delivered and was not: " + script.outcomes[i].recipient);
            if (open && deserved && (v == verdict::in_doubt) != p.end_written(m))
                complaints.push_back(how.name + ": " + std::string(to_string(v)) + " with the end of data " +
                                     (p.end_written(m) ? "written: " : "not written: ") + script.outcomes[i].recipient);
        }
    }
    std::size_t recipients = 0;
    for (std::size_t m = 0; m < script.messages.size(); ++m)
        recipients += script.messages[m].envelope.recipients.size();
    if (script.together && got.outcomes.size() != recipients)
        complaints.push_back(how.name + ": not every recipient has an outcome");
}

} // namespace

played play(const transcript& script)
{
    return performance(script, {}).run();
}

std::vector<std::string> check(const transcript& script)
{
    std::vector<way> ways{{}};
    for (std::size_t piece : {1u, 2u, 7u, 60u}) {
        ways.push_back({fmt::format("pieces of {}", piece), piece});
        ways.push_back({fmt::format("pieces of {}, each alone", piece), piece, true});
    }
    for (std::size_t step = 0; step < script.steps.size(); ++step) {
        ways.push_back({fmt::format("cut at line {}", script.steps[step].line), never, false, step});
        if (script.steps[step].who == 'S')
            ways.push_back({fmt::format("cut within line {}", script.steps[step].line), never, false, step, true});
    }

    std::vector<std::string> complaints;
    for (const way& how : ways) {
        performance p(script, how);
        const played got = p.run();
        complaints.insert(complaints.end(), got.complaints.begin(), got.complaints.end());
        if (how.cut_step == never)
            compare(script, how, got, complaints);
        else
            check_honesty(script, how, got, p, complaints);
    }
    return complaints;
}

std::vector<std::string> check(std::string_view text)
{
    return check(transcript::parse(text));
}

} // namespace postrider::test
