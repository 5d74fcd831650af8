// SPDX-License-Identifier: MIT
#pragma once
// sandbox/mailbox: the messages that the sandbox's exchangers took, in memory.
//
// Bounded: beyond `messages_max` messages or `octets_max` octets (of content, envelope and
// conversation) the oldest go, and a message larger than all of it is not kept. Searching keeps
// what it reads, at most 64 KiB for each message, from the first search on. Observers are told of
// every change, so that a page can be live. One thread: that of the sandbox's loop.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::sandbox {

/// One line of a conversation: 'C' what the client said, 'S' what we said, '!' what the network did.
struct spoken_line {
    char who;
    std::string text; ///< without its line end, as it came: escape before showing
};

struct captured_message {
    std::uint64_t id = 0; ///< counts from 1, never used again
    std::chrono::system_clock::time_point received;
    std::string exchanger;    ///< the name of the host that took it, "mx2.example.org"
    std::string client;       ///< the peer's address and port
    std::string hello;        ///< what it called itself in EHLO or HELO
    std::string reverse_path; ///< "" for the null reverse-path
    std::vector<std::string> forward_paths;
    std::vector<std::string> parameters;   ///< of MAIL, as they came: "BODY=8BITMIME"
    std::string content;                   ///< octets as received, dots unstuffed, CRLF line ends
    std::vector<spoken_line> conversation; ///< the session up to this message's final reply
};

class mailbox {
public:
    explicit mailbox(std::size_t messages_max = 1000, std::size_t octets_max = 256u << 20);

    mailbox(const mailbox&) = delete;
    mailbox& operator=(const mailbox&) = delete;

    /// Keeps it, gives it its id, tells the observers. Returns the id.
    std::uint64_t add(captured_message message);

    std::shared_ptr<const captured_message> find(std::uint64_t id) const;

    /// Newest first. `words` narrows it to messages that hold each of the words, in any case
    /// (of Latin, Greek and Cyrillic letters), in the envelope, the decoded header fields or the
    /// text; at most `limit` come back. Of a very long message only the beginning is searched.
    std::vector<std::shared_ptr<const captured_message>> search(std::string_view words,
                                                                std::size_t limit = 200) const;

    std::size_t size() const noexcept { return messages_.size(); }
    bool erase(std::uint64_t id);
    void clear();

    /// Called after every change, until the returned handle is gone. It may change the mailbox and
    /// may add and drop observers.
    [[nodiscard]] std::shared_ptr<void> observe(std::function<void()> changed);

private:
    struct kept_message {
        std::shared_ptr<const captured_message> message;
        std::size_t octets = 0;
        mutable std::optional<std::string> searchable; // made when it is first searched
    };

    std::deque<kept_message>::const_iterator position(std::uint64_t id) const;
    void tell();
    void trim();

    std::size_t messages_max_, octets_max_, octets_ = 0;
    std::uint64_t next_id_ = 1;
    std::deque<kept_message> messages_; // oldest first
    std::vector<std::weak_ptr<std::function<void()>>> observers_;
};

} // namespace postrider::sandbox
