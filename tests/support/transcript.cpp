// SPDX-License-Identifier: MIT
// support/transcript: reading the notation.

#include "support/transcript.hpp"

#include "base/text.hpp"

#include <charconv>
#include <sstream>
#include <stdexcept>

namespace postrider::test {
namespace {

class reader {
public:
    explicit reader(std::string_view text) : lines_(std::string(text)) {}

    transcript read()
    {
        std::string line;
        while (std::getline(lines_, line)) {
            ++number_;
            const std::size_t begin = line.find_first_not_of(" \t");
            if (begin != std::string::npos)
                read_line(std::string_view(line).substr(begin));
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
        } else if (line.starts_with("> ")) {
            read_wish(line.substr(2));
        } else if (line.starts_with("C:")) {
            script_.steps.push_back({'C', unescape(rest, true), number_});
        } else if (line.starts_with("S:")) {
            script_.steps.push_back({'S', unescape(rest, true), number_});
        } else if (line.starts_with("!:")) {
            script_.steps.push_back({'!', std::string(base::trim(rest)), number_});
        } else if (line.starts_with("= failure")) {
            words_ = line.substr(9);
            script_.failure = quoted();
        } else if (line.starts_with("= ")) {
            read_outcome(line.substr(2));
        } else {
            fail("a line begins with #, >, C:, S:, !: or =");
        }
    }

    void read_wish(std::string_view wish)
    {
        if (wish == "no pipelining") {
            script_.pipelining = false;
        } else if (wish == "together") {
            script_.together = true;
        } else if (wish == "stay") {
            script_.stay = true;
        } else {
            read_message(wish);
        }
    }

    void read_message(std::string_view wish)
    {
        transcript::message m;
        m.text = "Subject: hello\r\n\r\nHello.\r\n";
        words_ = wish;
        std::string key;
        for (std::string w = word(); !w.empty(); w = word()) {
            if (w == "from" || w == "to") {
                key = w;
            } else if (w == "text") {
                m.text = quoted();
            } else if (w == "seven-bit") {
                m.envelope.octets = smtp::body_octets::seven_bit;
            } else if (w == "eight-bit") {
                m.envelope.octets = smtp::body_octets::eight_bit;
            } else if (key == "from") {
                if (w != "<>")
                    m.envelope.reverse_path = address(w);
            } else if (key == "to") {
                m.envelope.recipients.push_back(address(w));
            } else {
                fail("a message is: from ADDRESS to ADDRESS... text \"...\"");
            }
        }
        if (m.envelope.recipients.empty())
            fail("a message needs a recipient");
        script_.messages.push_back(std::move(m));
    }

    void read_outcome(std::string_view text)
    {
        words_ = text;
        transcript::expected e{word(), {}, std::nullopt, number_};
        const std::string v = word();
        bool known = false;
        for (verdict candidate :
             {verdict::delivered, verdict::refused, verdict::deferred, verdict::in_doubt, verdict::untried}) {
            std::string name(to_string(candidate));
            if (const std::size_t space = name.find(' '); space != std::string::npos)
                name[space] = '-';
            if (v == name) {
                e.verdict = candidate;
                known = true;
            }
        }
        if (!known)
            fail("no such verdict: " + v);
        if (const std::string code = word(); !code.empty())
            e.code = std::stoi(code);
        script_.outcomes.push_back(std::move(e));
    }

    std::string word()
    {
        words_ = base::trim(words_);
        const std::size_t end = std::min(words_.find(' '), words_.size());
        std::string w(words_.substr(0, end));
        words_.remove_prefix(end);
        return w;
    }

    std::string quoted()
    {
        words_ = base::trim(words_);
        if (words_.empty() || words_.front() != '"')
            fail("a text stands in quotes");
        std::size_t end = 1;
        while (end < words_.size() && words_[end] != '"')
            end += words_[end] == '\\' ? 2 : 1;
        if (end >= words_.size())
            fail("the closing quote is missing");
        std::string text = unescape(words_.substr(1, end - 1), false);
        words_.remove_prefix(end + 1);
        return text;
    }

    std::string unescape(std::string_view text, bool add_line_end)
    {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '\\' || i + 1 == text.size()) {
                out += text[i];
                continue;
            }
            switch (text[++i]) {
            case 'r': out += '\r'; break;
            case 'n': out += '\n'; break;
            case 't': out += '\t'; break;
            case '"': out += '"'; break;
            case '\\': out += '\\'; break;
            case 'c': add_line_end = false; break;
            case 'x': {
                unsigned octet = 0;
                if (std::from_chars(text.data() + i + 1, text.data() + std::min(i + 3, text.size()), octet,
                                    16)
                        .ec != std::errc())
                    fail("\\x wants two hexadecimal digits");
                out += static_cast<char>(octet);
                i += 2;
                break;
            }
            default: fail("no such escape");
            }
        }
        return add_line_end ? out + "\r\n" : out;
    }

    std::istringstream lines_;
    std::string_view words_;
    transcript script_;
    int number_ = 0;
};

} // namespace

transcript transcript::parse(std::string_view text) { return reader(text).read(); }

} // namespace postrider::test
