// SPDX-License-Identifier: MIT
#pragma once
// net/body: the octets of a message, where they lie: in memory, in a file, or still on their way.
//
// Never held twice and never copied: what need not change goes out from where it lies. A body in
// memory or in a file can be sent any number of times, at the same time too; a stream once.
// Line ends may be CRLF, LF or CR: on the wire they become CRLF.

#include <boost/asio/any_completion_handler.hpp>
#include <boost/system/error_code.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace postrider {

/// One reading of a body, from its beginning to its end. One thread at a time. An exception is one more
/// way to fail.
class body_reader {
public:
    enum class status {
        ready,   ///< `range` holds the next octets; it stays valid until the next read()
        last,    ///< the same, and nothing comes behind it
        waiting, ///< nothing yet: async_wait() says when to ask again
        failed,  ///< the source is broken: see why()
    };

    virtual ~body_reader() = default;
    virtual status read(std::string_view& range) = 0;
    virtual void async_wait(boost::asio::any_completion_handler<void(boost::system::error_code)> done);
    virtual void cancel() {}
    virtual std::string why() const { return {}; } ///< for `failed`: a sentence
};

/// Where the octets come from.
class body_source {
public:
    virtual ~body_source() = default;

    /// A reading from the beginning; nothing if there can be no more of them.
    virtual std::unique_ptr<body_reader> open() = 0;

    virtual std::optional<std::uint64_t> size() const { return std::nullopt; } ///< octets, if known

    /// Whether any octet is above 0x7f, if that can be told without reading what cannot be read again.
    virtual std::optional<bool> eight_bit() const { return std::nullopt; }
};

class body {
public:
    body(std::string octets);                  ///< keeps them
    body(const char* octets);                  ///< copies them
    static body view(std::string_view octets); ///< the caller keeps them until the message has ended

    /// A file, mapped when it is opened here; throws std::system_error if it cannot be. Changing it
    /// while it is being sent changes the message; shortening it ends the program (SIGBUS).
    static body file(const std::string& path);

    /// Anything else. The source may be asked from several connections one after the other.
    explicit body(std::shared_ptr<body_source> source) : source_(std::move(source)) {}

    std::unique_ptr<body_reader> open() const { return source_->open(); }
    std::optional<std::uint64_t> size() const { return source_->size(); }
    std::optional<bool> eight_bit() const { return source_->eight_bit(); }

private:
    std::shared_ptr<body_source> source_;
};

} // namespace postrider
