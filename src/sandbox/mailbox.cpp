// SPDX-License-Identifier: MIT
// sandbox/mailbox: the messages that the sandbox's exchangers took, in memory.

#include "sandbox/mailbox.hpp"

#include "base/text.hpp"
#include "sandbox/encoded_text.hpp"
#include "sandbox/message_text.hpp"

#include <algorithm>
#include <utility>

namespace postrider::sandbox {

namespace {

constexpr std::size_t searchable_octets_max = 64 * 1024;
constexpr std::size_t words_max = 16;

std::size_t octets_of(const captured_message& message) noexcept
{
    std::size_t octets = sizeof(message) + message.exchanger.size() + message.client.size() +
                         message.hello.size() + message.reverse_path.size() + message.content.size();
    for (const auto& path : message.forward_paths)
        octets += sizeof(path) + path.size();
    for (const auto& parameter : message.parameters)
        octets += sizeof(parameter) + parameter.size();
    for (const auto& line : message.conversation)
        octets += sizeof(line) + line.text.size();
    return octets;
}

// The small letter of a capital one, in the three alphabets whose capitals stand at a fixed
// distance from them and take as many octets in UTF-8, so that folding can be done in place.
char32_t small_letter(char32_t c) noexcept
{
    const bool latin = c >= 0xc0 && c <= 0xde && c != 0xd7;
    const bool greek = c >= 0x391 && c <= 0x3a9;
    const bool cyrillic = c >= 0x410 && c <= 0x42f;
    if (latin || greek || cyrillic)
        return c + 0x20;
    return c >= 0x400 && c <= 0x40f ? c + 0x50 : c;
}

// UTF-8 with capital letters made small; every other octet stays as it is.
std::string folded(std::string_view text)
{
    std::string out = base::lower(text);
    for (std::size_t i = 0; i + 1 < out.size(); ++i) {
        const auto lead = static_cast<unsigned char>(out[i]);
        if (lead < 0xc3 || lead > 0xd0)
            continue;
        const auto c = base::first_code_point(std::string_view(out).substr(i, 2));
        if (!c)
            continue;
        const auto small = small_letter(c->value);
        out[i] = static_cast<char>(0xc0 | small >> 6);
        out[i + 1] = static_cast<char>(0x80 | (small & 0x3f));
        ++i;
    }
    return out;
}

std::vector<std::string> words_of(std::string_view text)
{
    std::vector<std::string> words;
    while (words.size() < words_max) {
        text = base::trim(text);
        if (text.empty())
            break;
        const auto word = text.substr(0, text.find_first_of(" \t\r\n"));
        words.push_back(folded(word));
        text.remove_prefix(word.size());
    }
    return words;
}

// Envelope, fields and text, one to a line, so that no word can be found across two of them.
std::string searchable_text(const captured_message& message)
{
    std::string all;
    const auto put = [&all](std::string_view text) {
        if (all.size() >= searchable_octets_max)
            return;
        all += text.substr(0, searchable_octets_max - all.size());
        all += '\n';
    };
    put(message.reverse_path);
    for (const auto& path : message.forward_paths)
        put(path);
    put(message.exchanger);
    put(message.hello);
    put(message.client);

    reading_limits limits;
    limits.header_octets_max = limits.text_octets_max = searchable_octets_max;
    const auto shown = read_message(message.content, limits);
    for (const auto& field : shown.fields)
        put(field.name + ": " + field.value);
    put(shown.text);
    return folded(all);
}

bool holds_all(std::string_view text, const std::vector<std::string>& words) noexcept
{
    return std::all_of(words.begin(), words.end(),
                       [text](const auto& word) { return text.find(word) != text.npos; });
}

} // namespace

mailbox::mailbox(std::size_t messages_max, std::size_t octets_max)
    : messages_max_(messages_max), octets_max_(octets_max)
{
}

std::uint64_t mailbox::add(captured_message message)
{
    const auto id = message.id = next_id_++;
    kept_message kept;
    kept.octets = octets_of(message);
    kept.message = std::make_shared<const captured_message>(std::move(message));
    octets_ += kept.octets;
    messages_.push_back(std::move(kept));
    trim();
    tell();
    return id;
}

std::shared_ptr<const captured_message> mailbox::find(std::uint64_t id) const
{
    const auto found = position(id);
    return found == messages_.end() ? nullptr : found->message;
}

std::vector<std::shared_ptr<const captured_message>> mailbox::search(std::string_view words,
                                                                     std::size_t limit) const
{
    const auto wanted = words_of(words);
    std::vector<std::shared_ptr<const captured_message>> found;
    for (auto kept = messages_.rbegin(); kept != messages_.rend() && found.size() < limit; ++kept) {
        if (!wanted.empty() && !kept->searchable)
            kept->searchable = searchable_text(*kept->message);
        if (wanted.empty() || holds_all(*kept->searchable, wanted))
            found.push_back(kept->message);
    }
    return found;
}

bool mailbox::erase(std::uint64_t id)
{
    const auto found = position(id);
    if (found == messages_.end())
        return false;
    octets_ -= found->octets;
    messages_.erase(found);
    tell();
    return true;
}

void mailbox::clear()
{
    if (messages_.empty())
        return;
    messages_.clear();
    octets_ = 0;
    tell();
}

std::shared_ptr<void> mailbox::observe(std::function<void()> changed)
{
    auto observer = std::make_shared<std::function<void()>>(std::move(changed));
    std::erase_if(observers_, [](const auto& known) { return known.expired(); });
    observers_.push_back(observer);
    return observer;
}

std::deque<mailbox::kept_message>::const_iterator mailbox::position(std::uint64_t id) const
{
    // Ids only grow, so the queue is sorted by them.
    const auto found =
        std::lower_bound(messages_.begin(), messages_.end(), id,
                         [](const auto& kept, auto wanted) { return kept.message->id < wanted; });
    return found != messages_.end() && found->message->id == id ? found : messages_.end();
}

void mailbox::tell()
{
    // A copy, because an observer may add or drop observers.
    const auto observers = observers_;
    for (const auto& known : observers)
        if (const auto observer = known.lock())
            (*observer)();
}

void mailbox::trim()
{
    while (!messages_.empty() && (messages_.size() > messages_max_ || octets_ > octets_max_)) {
        octets_ -= messages_.front().octets;
        messages_.pop_front();
    }
}

} // namespace postrider::sandbox
