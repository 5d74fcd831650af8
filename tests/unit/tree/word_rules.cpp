// SPDX-License-Identifier: MIT
// tree/word_rules: tables read, and lines searched.

#include "unit/tree/word_rules.hpp"

#include "unit/tree/finding.hpp"

#include <algorithm>
#include <cctype>

namespace postrider::tree {

namespace {

// Lower case, and the words of an identifier apart.
std::string folded(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return c == '_' ? ' ' : static_cast<char>(std::tolower(c)); });
    return out;
}

std::vector<std::string_view> cells_of(std::string_view line)
{
    std::vector<std::string_view> cells;
    for (std::size_t begin = 1; begin < line.size();) {
        const auto end = std::min(line.find('|', begin), line.size());
        auto cell = line.substr(begin, end - begin);
        const auto first = std::min(cell.find_first_not_of(' '), cell.size());
        cell.remove_prefix(first);
        cell = cell.substr(0, cell.find_last_not_of(' ') + 1);
        cells.push_back(cell);
        begin = end + 1;
    }
    return cells;
}

std::vector<std::string> in_backquotes(std::string_view text)
{
    std::vector<std::string> found;
    for (std::size_t open = text.find('`'); open != text.npos; open = text.find('`', open)) {
        const auto close = text.find('`', open + 1);
        if (close == text.npos)
            break;
        found.push_back(folded(text.substr(open + 1, close - open - 1)));
        open = close + 1;
    }
    return found;
}

bool is_of_a_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// As a whole, not as a part of a longer word, nor the name of a header field.
bool stands_at(std::string_view line, std::size_t at, std::size_t size)
{
    if (at > 0 && is_of_a_word(line[at - 1]))
        return false;
    const std::size_t end = at + size;
    return end == line.size() || (!is_of_a_word(line[end]) && line[end] != ':');
}

// True if `line` holds `synonym` elsewhere than inside the word itself: "status code" stands in
// "enhanced status code".
bool holds(const std::string& line, const std::string& name, const std::string& synonym)
{
    const auto inside = name.find(synonym);
    for (auto at = line.find(synonym); at != line.npos; at = line.find(synonym, at + 1)) {
        const bool in_the_word = inside != name.npos && at >= inside &&
                                 line.compare(at - inside, name.size(), name) == 0;
        if (!in_the_word && stands_at(line, at, synonym.size()))
            return true;
    }
    return false;
}

} // namespace

std::vector<listed_word> parse_words(std::string_view page)
{
    std::vector<listed_word> words;
    while (!page.empty()) {
        const auto line = page.substr(0, page.find('\n'));
        page.remove_prefix(std::min(line.size() + 1, page.size()));
        if (!line.starts_with("| "))
            continue;
        const auto cells = cells_of(line);
        if (cells.size() < 3)
            continue;
        if (auto synonyms = in_backquotes(cells[2]); !synonyms.empty())
            words.push_back({folded(cells[0]), std::move(synonyms)});
    }
    return words;
}

std::vector<finding> forbidden_words(const files& tree, const std::vector<listed_word>& words)
{
    std::vector<finding> found;
    for (const auto& [path, text] : tree) {
        std::size_t number = 0;
        for (std::size_t begin = 0; begin < text.size();) {
            const auto end = std::min(text.find('\n', begin), text.size());
            const std::string line = folded(std::string_view(text).substr(begin, end - begin));
            begin = end + 1;
            ++number;
            for (const listed_word& w : words)
                for (const std::string& synonym : w.synonyms)
                    if (holds(line, w.name, synonym))
                        found.push_back(
                            {path, number, "\"" + synonym + "\": the word is \"" + w.name + "\""});
        }
    }
    return found;
}

} // namespace postrider::tree
