// SPDX-License-Identifier: MIT
// support/server_player: reading a server's transcript, and playing it.

#include "support/server_player.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace postrider::test {
namespace {

namespace ask = smtp::server::ask;
namespace told = smtp::server::told;

// Reading ------------------------------------------------------------------------------------------

class script_reader {
public:
    explicit script_reader(std::string_view text) : lines_(std::string(text)) {}

    server_script read()
    {
        script_.options.name = "mx.b.example";
        std::string line;
        while (std::getline(lines_, line)) {
            ++number_;
            const std::string_view text =
                std::string_view(line).substr(std::min(line.find_first_not_of(' '), line.size()));
            if (!text.empty())
                read_line(text);
        }
        return std::move(script_);
    }

private:
    [[noreturn]] void fail(const std::string& what) const
    {
        throw std::runtime_error("line " + std::to_string(number_) + ": " + what);
    }

    void read_line(std::string_view line)
    {
        const std::string_view rest = line.size() > 2 ? line.substr(3) : std::string_view();
        if (line.front() == '#') {
            if (script_.title.empty())
                script_.title = base::trim(line.substr(1));
        } else if (line.starts_with("C:") || line.starts_with("S:")) {
            script_.steps.push_back({line.front(), octets(rest), number_});
        } else if (line.starts_with("!:")) {
            script_.steps.push_back({'!', std::string(base::trim(rest)), number_});
        } else if (line.starts_with("> ")) {
            words_.str(std::string(line.substr(2)));
            words_.clear();
            read_setting();
        } else if (line.starts_with("= ")) {
            read_message(line.substr(2));
        } else {
            fail("a line begins with #, >, C:, S:, !: or =");
        }
    }

    std::string word()
    {
        std::string w;
        words_ >> w;
        return w;
    }

    std::size_t number()
    {
        std::size_t n = 0;
        if (!(words_ >> n))
            fail("a number must follow");
        return n;
    }

    void read_setting()
    {
        const std::string name = word();
        if (name == "size")
            script_.options.size_max = number();
        else if (name == "recipients")
            script_.options.recipients_max = number();
        else if (name == "bad" && word() == "commands")
            script_.options.bad_commands_max = number();
        else if (name == "line")
            script_.options.line_octets_max = number();
        else if (name == "output")
            script_.options.output_octets_max = number();
        else if (name == "name")
            script_.options.name = word();
        else if (name == "busy")
            script_.busy = true;
        else if (name == "whole")
            script_.whole = true;
        else if (name == "no")
            switch_off(word());
        else if (name == "answer")
            read_answer();
        else
            fail("no such setting: " + name);
    }

    void switch_off(const std::string& what)
    {
        if (what == "pipelining")
            script_.options.pipelining = false;
        else if (what == "size")
            script_.options.size = false;
        else if (what == "8bitmime")
            script_.options.eight_bit_mime = false;
        else if (what == "smtputf8")
            script_.options.smtputf8 = false;
        else if (what == "enhanced")
            script_.options.enhanced_status_codes = false;
        else if (what == "help")
            script_.options.help = false;
        else
            fail("cannot switch off: " + what);
    }

    void read_answer()
    {
        const std::string what = word();
        smtp::server::answer said;
        char dot1 = 0, dot2 = 0;
        words_ >> said.code >> said.status.status >> dot1 >> said.status.subject >> dot2 >>
            said.status.detail;
        if (!words_ || dot1 != '.' || dot2 != '.')
            fail("an answer is: WHAT CODE STATUS TEXT");
        std::string text;
        std::getline(words_ >> std::ws, text);
        said.text = unescaped(text);
        script_.answers[what] = said;
    }

    void read_message(std::string_view text)
    {
        server_script::message m;
        const std::string_view before = " text \"";
        const std::size_t at = text.find(before);
        if (at == std::string_view::npos || !text.ends_with('"') || at + before.size() == text.size())
            fail("a message is: from ADDRESS to ADDRESS... text \"...\"");
        const std::string_view quoted = text.substr(at + before.size());
        m.text = unescaped(quoted.substr(0, quoted.size() - 1));
        std::istringstream words{std::string(text.substr(0, at))};
        std::string key;
        for (std::string w; words >> w;) {
            if (w == "from" || w == "to")
                key = w;
            else if (key == "from")
                m.from = w == "<>" ? "" : w;
            else
                m.to.push_back(w);
        }
        script_.messages.push_back(std::move(m));
    }

    std::string octets(std::string_view text)
    {
        const bool open = text.ends_with("\\c");
        return unescaped(open ? text.substr(0, text.size() - 2) : text) + (open ? "" : "\r\n");
    }

    std::string unescaped(std::string_view text)
    {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '\\') {
                out += text[i];
                continue;
            }
            if (++i == text.size())
                fail("a backslash escapes something");
            switch (text[i]) {
            case 'r': out += '\r'; break;
            case 'n': out += '\n'; break;
            case 't': out += '\t'; break;
            case '"': out += '"'; break;
            case '\\': out += '\\'; break;
            case 'x':
                out += hexadecimal(text.substr(i + 1, 2));
                i += 2;
                break;
            default: fail("no such escape");
            }
        }
        return out;
    }

    char hexadecimal(std::string_view digits)
    {
        unsigned value = 0;
        const auto end = digits.data() + digits.size();
        if (digits.size() != 2 || std::from_chars(digits.data(), end, value, 16).ptr != end)
            fail("\\x is followed by two hexadecimal digits");
        return static_cast<char>(value);
    }

    std::istringstream lines_, words_;
    int number_ = 0;
    server_script script_;
};

// Playing ------------------------------------------------------------------------------------------

constexpr std::size_t whole = std::string::npos;

class play {
public:
    play(const server_script& script, std::size_t piece)
        : script_(script), piece_(piece), session_(script.options)
    {
        tell(told::connected{script.busy});
    }

    /// Plays steps up to `end`; complains of the first that does not go as written.
    void to(std::size_t end)
    {
        for (std::size_t i = 0; i < end && complaint_.empty();) {
            const char who = script_.steps[i].who;
            std::size_t behind = i + 1;
            while (who != '!' && behind < end && script_.steps[behind].who == who)
                ++behind;
            if (who == 'C')
                say(joined(i, behind));
            else if (who == 'S')
                expect(joined(i, behind), script_.steps[i].line);
            else
                happen(script_.steps[i]);
            i = behind;
        }
    }

    void finish()
    {
        if (complaint_.empty() && !written_.empty())
            complain("the server also said: " + base::escaped(written_));
        if (complaint_.empty() && messages_ != script_.messages)
            complain("other messages came in than written: " + std::to_string(messages_.size()));
    }

    void lose() { end_with(told::closed{}); }
    void run_out() { end_with(told::idle{}); }

    const std::string& complaint() const { return complaint_; }
    const std::vector<server_script::message>& messages() const { return messages_; }
    bool closed() const { return closed_; }

private:
    void complain(std::string what) { complaint_ = std::move(what); }

    std::string joined(std::size_t begin, std::size_t end) const
    {
        std::string all;
        for (; begin < end; ++begin)
            all += script_.steps[begin].text;
        return all;
    }

    void say(const std::string& octets)
    {
        writes_ = 0;
        for (std::size_t at = 0; at < octets.size() && !closed_; at += std::min(piece_, octets.size() - at)) {
            const std::string piece =
                octets.substr(at, piece_); // its own memory: a view kept too long is found out
            tell(told::received{piece});
        }
        if (piece_ == whole && writes_ > 1 && written_.size() < script_.options.output_octets_max)
            complain("a group was answered in " + std::to_string(writes_) + " writes");
    }

    void expect(const std::string& replies, int line)
    {
        if (written_ != replies)
            complain("line " + std::to_string(line) + ": expected " + base::escaped(replies, 4000) +
                     ", the server said " + base::escaped(written_, 4000));
        written_.clear();
    }

    void happen(const server_script::step& what)
    {
        if (what.text == "client closes") {
            lose();
        } else if (what.text == "idle") {
            tell(told::idle{});
        } else if (what.text.starts_with("server closes")) {
            const std::size_t quote = what.text.find('"');
            const std::string words =
                quote == std::string::npos ? "" : what.text.substr(quote + 1, what.text.size() - quote - 2);
            if (!closed_ || why_.find(words) == std::string::npos)
                complain("line " + std::to_string(what.line) + ": the server should have closed; " +
                         (closed_ ? why_ : "it did not"));
        } else {
            complain("line " + std::to_string(what.line) + ": no such happening");
        }
    }

    void end_with(const smtp::server::event& what)
    {
        if (!closed_)
            tell(what);
        if (!closed_)
            complain("the session goes on after its end");
    }

    void tell(const smtp::server::event& what)
    {
        std::optional<smtp::server::event> next = what;
        while (next) {
            const smtp::server::action action = session_.resume(*next);
            next = std::visit([this](const auto& a) { return perform(a); }, action);
        }
    }

    using reaction = std::optional<smtp::server::event>;

    smtp::server::event decide(const std::string& what, smtp::server::answer otherwise) const
    {
        const auto found = script_.answers.find(what);
        return told::decision{found == script_.answers.end() ? otherwise : found->second};
    }

    reaction perform(const ask::receive&) { return {}; }

    reaction perform(const ask::send& a)
    {
        written_ += a.octets;
        ++writes_;
        return told::sent{};
    }

    reaction perform(const ask::sender& a)
    {
        return decide(a.so_far.reverse_path(), {250, {2, 1, 0}, "sender ok"});
    }

    reaction perform(const ask::recipient& a)
    {
        const std::string who = a.who.mailbox ? a.who.mailbox->to_string(a.so_far.smtputf8) : "postmaster";
        return decide(who, {250, {2, 1, 5}, "recipient ok"});
    }

    reaction perform(const ask::begin&)
    {
        content_.clear();
        return decide("data", {250, {2, 0, 0}, ""});
    }

    reaction perform(const ask::content& a)
    {
        content_ += a.octets;
        return told::taken{};
    }

    reaction perform(const ask::complete& a)
    {
        if (a.what.octets != content_.size())
            complain("the transaction counts other octets than were handed up");
        const smtp::server::event said = decide("message", {250, {2, 0, 0}, "taken"});
        if (std::get<told::decision>(said).reply.positive())
            messages_.push_back({a.what.reverse_path(), a.what.forward_paths(), content_});
        return said;
    }

    reaction perform(const ask::close& a)
    {
        closed_ = true;
        why_ = a.why;
        return {};
    }

    const server_script& script_;
    std::size_t piece_;
    smtp::server_session session_;
    std::string written_, content_, why_, complaint_;
    std::size_t writes_ = 0;
    bool closed_ = false;
    std::vector<server_script::message> messages_;
};

void check_cut(const server_script& script, std::size_t step, void (play::*cut)(),
               std::vector<std::string>& complaints)
{
    play p(script, whole);
    p.to(step);
    const std::vector<server_script::message> before = p.messages();
    if (p.closed() || !p.complaint().empty())
        return;
    (p.*cut)();
    if (!p.closed() || p.messages() != before)
        complaints.push_back("cut before line " + std::to_string(script.steps[step].line) + ": " +
                             (p.closed() ? "a message came in that was not ended" : "the session goes on"));
}

} // namespace

server_script server_script::parse(std::string_view text) { return script_reader(text).read(); }

std::vector<std::string> check_server(const server_script& script)
{
    std::vector<std::string> complaints;
    for (const std::size_t piece : {whole, std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{60}}) {
        if (script.whole && piece != whole)
            continue;
        play p(script, piece);
        p.to(script.steps.size());
        p.finish();
        if (!p.complaint().empty())
            complaints.push_back(
                (piece == whole ? "whole: " : "in pieces of " + std::to_string(piece) + ": ") +
                p.complaint());
    }
    for (std::size_t step = 0; step < script.steps.size(); ++step) {
        check_cut(script, step, &play::lose, complaints);
        check_cut(script, step, &play::run_out, complaints);
    }
    return complaints;
}

std::vector<std::string> check_server(std::string_view text)
{
    return check_server(server_script::parse(text));
}

} // namespace postrider::test
