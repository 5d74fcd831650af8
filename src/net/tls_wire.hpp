// SPDX-License-Identifier: MIT
#pragma once
// net/tls_wire: the encrypted side of a TLS connection: what has come and what has not left yet.
//
// OpenSSL reads from it and writes to it through a BIO of ours. It goes straight to the stream below
// where that can do something without waiting, so that a record is copied only where it has to wait: what
// came while nobody could take it (one small buffer, larger only over streams that know nothing without
// waiting), and what of a record the stream below would not take. Starts nothing itself: its owner asks
// for the buffers of the next asynchronous read and write, and says what came of them.

#include "net/asio.hpp"
#include "postrider/stream.hpp"

#include <openssl/bio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace postrider::net {

class tls_wire {
public:
    explicit tls_wire(std::unique_ptr<stream> under) : under_(std::move(under)) {}
    tls_wire(const tls_wire&) = delete;
    tls_wire& operator=(const tls_wire&) = delete;

    stream& under() noexcept { return *under_; }
    const stream& under() const noexcept { return *under_; }

    /// For SSL_set_bio; the wire must stay as long as it does. Throws std::bad_alloc.
    BIO* new_bio();

    // Towards us.
    bool reading() const noexcept { return reading_; }
    asio::mutable_buffer begin_read();
    void came(error_code ec, std::size_t n);
    const error_code& input_end() const noexcept { return input_end_; } ///< why nothing more will come

    /// The first octets that came, for a diagnosis; until forget().
    const std::string& heard() const noexcept { return heard_; }
    void forget();

    // Towards the peer.
    bool owes() const noexcept { return !leaving_.empty() || !behind_.empty(); }
    bool writing() const noexcept { return writing_; }
    asio::const_buffer begin_write();
    void left(error_code ec, std::size_t n);
    const error_code& output_end() const noexcept { return output_end_; } ///< why nothing more will leave

private:
    // A reply of SMTP in a record. What comes behind it goes past this buffer.
    static constexpr std::size_t room_at_rest = 1024;

    static int on_bio_read(BIO* bio, char* into, std::size_t size, std::size_t* got) noexcept;
    static int on_bio_write(BIO* bio, const char* octets, std::size_t size, std::size_t* taken) noexcept;
    static long on_bio_control(BIO* bio, int what, long, void*) noexcept;
    static BIO_METHOD* method();

    std::size_t take(std::span<char> into);
    std::size_t take_kept(std::span<char> into);
    std::size_t give(std::span<const char> octets);
    void note(std::span<const char> first);

    std::unique_ptr<stream> under_;
    std::vector<char> kept_; // what the last asynchronous read brought, from kept_at_ to kept_end_
    std::size_t kept_at_ = 0, kept_end_ = 0;
    std::size_t room_ = room_at_rest;
    std::vector<char> leaving_; // in the hands of an asynchronous write, from left_ on
    std::size_t left_ = 0;
    std::vector<char> behind_; // to leave after that
    std::string heard_;
    error_code input_end_, output_end_;
    bool reading_ = false, writing_ = false, was_full_ = false, noting_ = true;
};

} // namespace postrider::net
