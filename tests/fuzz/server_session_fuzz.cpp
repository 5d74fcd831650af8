// SPDX-License-Identifier: MIT
// fuzz/server_session (smtp): whatever a client says, replies are replies and messages are whole.
//
// The first octet of the input says in what pieces the rest comes, the second how it ends. The limits
// are small, so that they are met. Every write must be made of well-formed reply lines, every message
// that comes in must have recipients, lines that end in CRLF and no more octets than allowed, and the
// session must end when the connection does. Whole and in pieces the conversation must be the same;
// the one exception is content behind a refused DATA, which is only known when it is there.

#include "smtp/server_session.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace smtp = postrider::smtp;
namespace ask = smtp::server::ask;
namespace told = smtp::server::told;
using smtp::server::answer;
using reaction = std::optional<smtp::server::event>;

void expect(bool holds)
{
    if (!holds)
        std::abort();
}

smtp::server_options small()
{
    smtp::server_options options;
    options.size_max = 200;
    options.recipients_max = 3;
    options.bad_commands_max = 5;
    options.line_octets_max = 100;
    options.output_octets_max = 300;
    return options;
}

/// Yes to most: what is asked about decides, so that every play decides alike.
told::decision decide(std::string_view about)
{
    if (about.starts_with("no"))
        return {answer{550, {5, 1, 1}, "no"}};
    if (about.starts_with("later"))
        return {answer{450, {4, 2, 0}, "later\nor\rnever \x80"}};
    return {answer{250, {2, 0, 0}, std::string(about)}};
}

class conversation {
public:
    conversation() : session_(small()) { tell(told::connected{}); }

    void say(std::string_view octets, std::size_t piece)
    {
        for (std::size_t at = 0; at < octets.size() && !closed_; at += piece) {
            const std::string copy(octets.substr(at, piece));
            tell(told::received{copy});
        }
    }

    void end(bool silent)
    {
        if (!closed_ && silent)
            tell(told::idle{});
        else if (!closed_)
            tell(told::closed{});
        expect(closed_ && session_.state() == smtp::server_state::closed);
    }

    bool depends_on_pieces() const { return why_ == "content came behind a DATA that was refused"; }

    friend bool operator==(const conversation& a, const conversation& b)
    {
        return a.written_ == b.written_ && a.messages_ == b.messages_ && a.why_ == b.why_;
    }

private:
    void tell(const smtp::server::event& first)
    {
        reaction next = first;
        while (next) {
            const smtp::server::action action = session_.resume(*next);
            next = std::visit([this](const auto& a) { return perform(a); }, action);
        }
    }

    reaction perform(const ask::receive&) { return {}; }

    reaction perform(const ask::send& a)
    {
        expect(!a.octets.empty() && a.octets.ends_with("\r\n") && a.octets.size() < 64 * 1024);
        for (std::string_view rest = a.octets; !rest.empty();) {
            const std::size_t end = rest.find("\r\n");
            check_line(rest.substr(0, end));
            rest.remove_prefix(end + 2);
        }
        written_ += a.octets;
        return told::sent{};
    }

    static void check_line(std::string_view line)
    {
        expect(line.size() >= 4 && line.size() <= 510 && line[0] >= '2' && line[0] <= '5');
        expect(line[3] == ' ' || line[3] == '-');
        expect(std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c <= 0x7e; }));
    }

    reaction perform(const ask::sender& a)
    {
        expect(a.so_far.to.empty() && a.so_far.octets == 0 && !a.so_far.hello.empty());
        return decide(a.so_far.reverse_path());
    }

    reaction perform(const ask::recipient& a)
    {
        expect(a.so_far.to.size() < 3);
        return decide(a.who.mailbox ? a.who.mailbox->local_part() : "postmaster");
    }

    reaction perform(const ask::begin& a)
    {
        expect(!a.what.to.empty() && a.what.octets == 0);
        content_.clear();
        return decide(a.what.hello);
    }

    reaction perform(const ask::content& a)
    {
        expect(!a.octets.empty());
        content_ += a.octets;
        return told::taken{};
    }

    reaction perform(const ask::complete& a)
    {
        expect(a.what.octets == content_.size() && content_.size() <= 200);
        expect(content_.empty() || content_.ends_with("\r\n"));
        for (std::size_t i = 0; i < content_.size(); ++i)
            expect(content_[i] == '\n' ? i > 0 && content_[i - 1] == '\r'
                                       : content_[i] != '\r' || content_[i + 1] == '\n');
        messages_.push_back(content_);
        return decide(content_);
    }

    reaction perform(const ask::close& a)
    {
        expect(!a.why.empty());
        closed_ = true;
        why_ = a.why;
        return {};
    }

    smtp::server_session session_;
    std::string written_, content_, why_;
    std::vector<std::string> messages_;
    bool closed_ = false;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2)
        return 0;
    const std::size_t piece = 1 + data[0] % 64;
    const bool silent = data[1] % 2 != 0;
    const std::string_view octets(reinterpret_cast<const char*>(data) + 2, size - 2);

    conversation whole, cut;
    whole.say(octets, std::max<std::size_t>(octets.size(), 1));
    whole.end(silent);
    cut.say(octets, piece);
    cut.end(silent);
    expect(whole == cut || whole.depends_on_pieces() || cut.depends_on_pieces());
    return 0;
}
