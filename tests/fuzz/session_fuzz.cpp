// SPDX-License-Identifier: MIT
// fuzz/session (smtp): whatever a server says, however it is cut, every message ends once, and truly
//
// The first three octets choose the messages and how the driver behaves; the rest is what the server
// says, with the octets 1 to 8 between it for what else happens: a piece ends, the connection is
// lost, time runs out, the caller cancels, says goodbye, submits a message, a write is done, the
// body's source fails. What the session claims is judged by a reading of the server's octets that
// knows nothing of the session's own.

#include "base/text.hpp"
#include "postrider/error.hpp"
#include "smtp/session.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

using namespace postrider;
using namespace postrider::smtp;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

constexpr std::size_t messages_max = 6;
constexpr std::size_t group_octets = 32 * 1024 + 1024; // one more command than the bound

enum happening : char {
    piece_ends = 1,
    connection_is_lost,
    time_runs_out,
    caller_cancels,
    caller_says_goodbye,
    caller_submits,
    write_is_done,
    body_fails
};

// What the first octets choose.
struct setting {
    std::uint8_t driver = 0, first = 0, second = 0;

    bool pipelining() const { return (driver & 1) == 0; }
    bool together() const { return (driver & 2) != 0; }
    bool patient() const { return (driver & 4) != 0; } // a write is done when the input says so
    bool stays() const { return (driver & 8) != 0; }   // nothing is submitted by itself at rest
    std::size_t messages() const { return 1 + (driver >> 4) % messages_max; }

    transaction message(std::size_t n) const
    {
        const auto bits = static_cast<std::uint8_t>((n % 2 ? second : first) + n / 2);
        static const address ascii("ann@a.example"), utf8("jos\xc3\xa9@a.example");
        static const auto few = recipients(4, false), few_of_utf8 = recipients(4, true),
                          many = recipients(200, false);
        transaction t;
        if ((bits & 1) == 0)
            t.reverse_path = bits & 2 ? utf8 : ascii;
        t.recipients = bits & 0x20 ? few_of_utf8 : few;
        t.recipients.resize(1 + (bits >> 2) % 4, t.recipients.front());
        if ((bits & 0x1c) == 0x1c)
            t.recipients = many;
        t.octets = (bits & 0x40) == 0 ? body_octets::unknown
                   : bits & 0x80      ? body_octets::eight_bit
                                      : body_octets::seven_bit;
        return t;
    }

    // 200 with long domains fill more than one group of commands.
    static std::vector<address> recipients(std::size_t size, bool utf8)
    {
        std::vector<address> all;
        const std::string label = std::string(60, 'd') + '.';
        const std::string domain = size > 4 ? label + label + label + "b.example" : "b.example";
        for (std::size_t n = 0; n < size; ++n)
            all.emplace_back((utf8 && n % 2 ? "jos\xc3\xa9" : "bob") + std::to_string(n) + '@' + domain);
        return all;
    }
};

// The replies in what a server said, read as simply as can be.
class listener {
public:
    void hear(std::string_view octets)
    {
        for (const char c : octets) {
            if (c != '\n') {
                line_ += c;
                continue;
            }
            if (line_.ends_with('\r'))
                line_.pop_back();
            if (line_.size() < 4 || line_[3] != '-') {
                ++replies_;
                positive_ += !line_.empty() && line_[0] == '2' ? 1u : 0u;
            }
            line_.clear();
        }
    }

    std::size_t replies() const { return replies_; }
    std::size_t positive() const { return positive_; }

private:
    std::string line_;
    std::size_t replies_ = 0, positive_ = 0;
};

// What a play left behind, for comparing two of them.
struct trace {
    std::vector<std::string> written;
    std::vector<std::string> claims;
    std::string failure;

    bool operator==(const trace&) const = default;
};

class play {
public:
    play(setting how, std::string_view script, bool octet_by_octet)
        : how_(how), script_(script), octet_by_octet_(octet_by_octet),
          session_({"relay.example", how.pipelining()})
    {
    }

    trace run()
    {
        while (how_.together() && submitted_.size() < how_.messages())
            submit();
        take(session_.resume({told::connected}));
        while (!over()) {
            require(++turns_ < 40'000);
            step();
        }
        finish();
        return std::move(trace_);
    }

private:
    struct message {
        std::size_t recipients;
        bool end_written = false;
        std::size_t positive_before = 0; // replies that had come when its end was written
    };

    bool over() const { return now_.what == ask::close; }
    bool writing() const { return under_way_ != ask::wait; }

    // One thing happens: what the script says, or what a driver does by itself.
    void step()
    {
        if (writing() && (!how_.patient() || script_.empty()))
            return done();
        if (now_.what == ask::rest &&
            (script_.empty() || (!how_.stays() && submitted_.size() < how_.messages())))
            return go_on_from_rest();
        if (script_.empty())
            return fail(error::connection_lost);
        const char next = script_.front();
        if (next < piece_ends || next > body_fails)
            return hear();
        script_.remove_prefix(1);
        happen(static_cast<happening>(next));
    }

    void go_on_from_rest()
    {
        if (submitted_.size() < how_.messages() && !how_.stays()) {
            submit();
            return take(session_.resume({told::submitted}));
        }
        goodbye_ = true;
        take(session_.resume({told::goodbye}));
    }

    void happen(happening what)
    {
        switch (what) {
        case piece_ends: break;
        case connection_is_lost: return fail(error::connection_lost);
        case time_runs_out: return fail(error::timed_out);
        case caller_cancels: return fail(error::cancelled);
        case body_fails:
            if (under_way_ == ask::body)
                fail(error::body_failed);
            break;
        case caller_says_goodbye: goodbye_ = true; return take(session_.resume({told::goodbye}));
        case caller_submits:
            if (submitted_.size() < how_.messages() + messages_max) {
                submit();
                take(session_.resume({told::submitted}));
            }
            break;
        case write_is_done:
            if (writing())
                done();
            break;
        }
    }

    void submit()
    {
        transaction t = how_.message(submitted_.size());
        submitted_.push_back({t.recipients.size()});
        require(session_.submit(std::move(t)) == submitted_.size());
    }

    void done()
    {
        const bool body = under_way_ == ask::body;
        under_way_ = ask::wait;
        if (body) {
            message& m = submitted_[now_writing_ - 1];
            m.end_written = true;
            m.positive_before = heard_.positive();
            ++owed_;
        }
        take(session_.resume({body ? told::body_written : told::written}));
    }

    void hear()
    {
        const std::size_t size =
            static_cast<std::size_t>(std::find_if(script_.begin(), script_.end(),
                                                  [](char c) { return c >= piece_ends && c <= body_fails; }) -
                                     script_.begin());
        std::string_view piece = script_.substr(0, size);
        script_.remove_prefix(size);
        while (!piece.empty() && !over()) {
            const std::string_view part = piece.substr(0, octet_by_octet_ ? 1 : piece.size());
            piece.remove_prefix(part.size());
            heard_.hear(part);
            event e{told::received, part};
            e.more = !piece.empty();
            take(session_.resume(e));
            require(!e.more || now_.what == ask::wait || now_.what == ask::close);
        }
    }

    void fail(error why)
    {
        event e{told::failed};
        e.why = make_error_code(why);
        e.detail = "by the fuzzer\r\n";
        take(session_.resume(e));
        require(over());
    }

    void take(action a)
    {
        now_ = a;
        collect();
        require(a.what == ask::rest || a.what == ask::close || a.limit.count() > 0);
        switch (a.what) {
        case ask::write: on_write(a.octets); break;
        case ask::body: on_body(a.message); break;
        case ask::rest: require(!writing() && heard_.replies() == owed_); break;
        case ask::wait:
        case ask::close: break;
        }
    }

    void on_write(std::string_view octets)
    {
        require(!writing() && octets.ends_with("\r\n") && octets.size() <= group_octets);
        trace_.written.emplace_back(octets);
        const bool in_step = heard_.replies() == owed_; // every reply that is owed has come
        std::size_t lines = 0;
        while (!octets.empty()) {
            const std::string_view line = octets.substr(0, octets.find("\r\n"));
            octets.remove_prefix(line.size() + 2);
            require(base::is_utf8(line) && line.find_first_of(std::string_view("\r\n\0", 3)) == line.npos);
            require(line != "QUIT" || (in_step && lines == 0));
            ++lines;
        }
        require(how_.pipelining() || (in_step && lines == 1));
        require(heard_.replies() <= owed_);
        owed_ += lines;
        under_way_ = ask::write;
    }

    void on_body(std::uint64_t id)
    {
        require(!writing() && heard_.replies() == owed_ && id >= 1 && id <= submitted_.size());
        require(!submitted_[id - 1].end_written && id > ended_);
        trace_.written.push_back("body of " + std::to_string(id));
        now_writing_ = id;
        under_way_ = ask::body;
    }

    void collect()
    {
        while (const auto ended = session_.take_settled()) {
            require(ended->id == ended_ + 1 && ended->id <= submitted_.size());
            const message& m = submitted_[ended_++];
            require(ended->outcomes.size() == m.recipients);
            for (const outcome& o : ended->outcomes) {
                judge(o, m);
                trace_.claims.push_back(std::string(to_string(o.verdict)) + ' ' + o.command + ' ' + o.why +
                                        (o.said ? o.said->to_string() : std::string()));
            }
        }
    }

    void judge(const outcome& o, const message& m) const
    {
        require(o.why.find_first_of("\r\n") == std::string::npos && base::is_utf8(o.why));
        if (o.verdict == verdict::delivered)
            require(m.end_written && heard_.positive() > m.positive_before && o.said && !o.error &&
                    o.said->positive());
        if (o.error)
            require((o.verdict == verdict::in_doubt) == m.end_written && o.verdict != verdict::delivered);
        else
            require((o.said || o.our_status) && o.verdict != verdict::in_doubt &&
                    o.verdict != verdict::untried);
    }

    void finish()
    {
        collect();
        require(session_.closed() && ended_ == submitted_.size());
        require(session_.failure() || goodbye_);
        if (const auto& f = session_.failure())
            trace_.failure = std::string(to_string(f->where)) + ' ' + f->command + ' ' + f->why;
        // What comes too late is turned away, and nothing more leaves.
        submit();
        require(session_.resume({told::submitted}).what == ask::close);
        collect();
        require(ended_ == submitted_.size());
    }

    const setting how_;
    std::string_view script_;
    const bool octet_by_octet_;
    session session_;
    action now_{ask::wait, phase::none};
    ask under_way_ = ask::wait; // write or body, else wait
    std::uint64_t now_writing_ = 0;
    std::vector<message> submitted_;
    std::size_t ended_ = 0, turns_ = 0;
    std::size_t owed_ = 1; // replies that have been asked for since the connection was made: a greeting
    bool goodbye_ = false;
    listener heard_;
    trace trace_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 3)
        return 0;
    const setting how{data[0], data[1], data[2]};
    const std::string_view script(reinterpret_cast<const char*>(data + 3), size - 3);
    const trace whole = play(how, script, false).run();
    require(play(how, script, true).run() == whole);
    return 0;
}
