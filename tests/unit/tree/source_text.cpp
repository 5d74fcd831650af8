// SPDX-License-Identifier: MIT
// tree/source_text: the phases of translation 2 and 3, and no further.

#include "unit/tree/source_text.hpp"

namespace postrider::tree {

namespace {

bool begins_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

class scanner {
public:
    explicit scanner(std::string_view text) { splice(text); }

    source_text scan()
    {
        bool line_begins = true; // nothing but blanks and comments since the last line end
        while (!at_end()) {
            const char c = peek();
            if (c == '\n') {
                line_begins = true;
                ++at_;
            } else if (is_blank(c)) {
                ++at_;
            } else if (comment()) {
                continue;
            } else if (c == '#' && line_begins) {
                line_begins = false;
                directive();
            } else {
                line_begins = false;
                token();
            }
        }
        return std::move(found_);
    }

private:
    // A raw string takes its continued lines back in the standard; here its inside is dropped
    // anyhow, so splicing everywhere gives the same answer.
    void splice(std::string_view text)
    {
        std::size_t line = 1;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const std::size_t skip = text.substr(i, 2) == "\\\n" ? 2 : text.substr(i, 3) == "\\\r\n" ? 3 : 0;
            if (skip != 0) {
                ++line;
                i += skip - 1;
                continue;
            }
            text_ += text[i];
            lines_.push_back(line);
            line += text[i] == '\n';
        }
    }

    bool at_end() const { return at_ >= text_.size(); }
    char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
    bool comes(std::string_view what) const { return text_.compare(at_, what.size(), what) == 0; }
    void skip_to(std::string_view end, bool past)
    {
        const auto found = text_.find(end, at_);
        at_ = found == std::string::npos ? text_.size() : found + (past ? end.size() : 0);
    }

    bool comment()
    {
        if (comes("//")) {
            skip_to("\n", false);
        } else if (comes("/*")) {
            at_ += 2;
            skip_to("*/", true);
        } else {
            return false;
        }
        return true;
    }

    void skip_blanks()
    {
        while (!at_end() && (is_blank(peek()) || comes("/*")))
            if (!comment())
                ++at_;
    }

    std::string identifier()
    {
        const auto begin = at_;
        while (begins_word(peek()) || is_digit(peek()))
            ++at_;
        return text_.substr(begin, at_ - begin);
    }

    void directive()
    {
        const auto line = lines_[at_++];
        skip_blanks();
        const auto name = identifier();
        if (name != "include" && name != "include_next" && name != "import")
            return;
        skip_blanks();
        const char close = peek() == '<' ? '>' : peek() == '"' ? '"' : '\0';
        std::string header;
        if (close != '\0') {
            for (++at_; !at_end() && peek() != close && peek() != '\n'; ++at_)
                header += peek();
            ++at_;
        }
        found_.includes.push_back({line, header});
    }

    void token()
    {
        const auto line = lines_[at_];
        const char c = peek();
        if (begins_word(c)) {
            auto name = identifier();
            if (peek() == '"' &&
                (name == "R" || name == "u8R" || name == "uR" || name == "UR" || name == "LR"))
                raw_string(line);
            else
                found_.words.push_back({line, std::move(name)});
        } else if (is_digit(c)) {
            number(line);
        } else if (c == '"' || c == '\'') {
            literal(line);
        } else if (comes("::") || comes("->")) {
            found_.words.push_back({line, text_.substr(at_, 2)});
            at_ += 2;
        } else {
            found_.words.push_back({line, std::string(1, c)});
            ++at_;
        }
    }

    // The quote inside 1'000 does not begin a character.
    void number(std::size_t line)
    {
        const auto begin = at_;
        const auto goes_on = [this](std::size_t ahead) {
            return begins_word(peek(ahead)) || is_digit(peek(ahead));
        };
        while (goes_on(0) || peek() == '.' || (peek() == '\'' && goes_on(1)))
            ++at_;
        found_.words.push_back({line, text_.substr(begin, at_ - begin)});
    }

    void literal(std::size_t line)
    {
        const char quote = peek();
        for (++at_; !at_end() && peek() != quote && peek() != '\n'; ++at_)
            if (peek() == '\\')
                ++at_;
        if (peek() == quote)
            ++at_;
        found_.words.push_back({line, "\""});
    }

    void raw_string(std::size_t line)
    {
        const auto open = text_.find('(', at_);
        if (open == std::string::npos) {
            at_ = text_.size();
            return;
        }
        const auto delimiter = text_.substr(at_ + 1, open - at_ - 1);
        at_ = open;
        skip_to(")" + delimiter + "\"", true);
        found_.words.push_back({line, "\""});
    }

    std::string text_;
    std::vector<std::size_t> lines_; // of each octet of text_
    std::size_t at_ = 0;
    source_text found_;
};

} // namespace

source_text read_source(std::string_view text) { return scanner(text).scan(); }

} // namespace postrider::tree
