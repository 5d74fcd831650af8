// SPDX-License-Identifier: MIT
// net/tls_wire: a BIO over a stream.

#include "net/tls_wire.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace postrider::net {
namespace {

constexpr std::size_t room_for_records = 16 * 1024 + 512; // the largest record and its head

// A peer that makes us answer (alerts, keys) and reads nothing gets no more answers than this. Our own
// records never meet it: one is begun only when nothing is owed.
constexpr std::size_t behind_octets_max = 64 * 1024;

constexpr std::size_t heard_octets_max = 128;

tls_wire& wire_of(BIO* bio) { return *static_cast<tls_wire*>(BIO_get_data(bio)); }

bool means_wait(const error_code& ec)
{
    return ec == asio::error::would_block || ec == asio::error::try_again;
}

} // namespace

BIO_METHOD* tls_wire::method()
{
    static BIO_METHOD* const made = [] {
        BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "postrider stream");
        if (!m)
            throw std::bad_alloc();
        BIO_meth_set_read_ex(m, &tls_wire::on_bio_read);
        BIO_meth_set_write_ex(m, &tls_wire::on_bio_write);
        BIO_meth_set_ctrl(m, &tls_wire::on_bio_control);
        return m;
    }();
    return made;
}

BIO* tls_wire::new_bio()
{
    BIO* const made = BIO_new(method());
    if (!made)
        throw std::bad_alloc();
    BIO_set_data(made, this);
    BIO_set_init(made, 1);
    return made;
}

// No exception may pass through OpenSSL's frames: whatever a stream throws ends its direction.
int tls_wire::on_bio_read(BIO* bio, char* into, std::size_t size, std::size_t* got) noexcept
{
    tls_wire& wire = wire_of(bio);
    BIO_clear_retry_flags(bio);
    try {
        *got = wire.take({into, size});
    } catch (...) {
        *got = 0;
        wire.input_end_ = asio::error::no_memory;
    }
    if (*got == 0)
        BIO_set_retry_read(bio); // an end too: OpenSSL need not know, its owner does
    return *got > 0 ? 1 : 0;
}

int tls_wire::on_bio_write(BIO* bio, const char* octets, std::size_t size, std::size_t* taken) noexcept
{
    tls_wire& wire = wire_of(bio);
    BIO_clear_retry_flags(bio);
    try {
        *taken = wire.give({octets, size});
    } catch (...) {
        *taken = size;
        wire.output_end_ = asio::error::no_memory;
    }
    if (*taken == 0)
        BIO_set_retry_write(bio);
    return *taken > 0 ? 1 : 0;
}

long tls_wire::on_bio_control(BIO*, int what, long, void*) noexcept { return what == BIO_CTRL_FLUSH ? 1 : 0; }

asio::mutable_buffer tls_wire::begin_read()
{
    kept_at_ = kept_end_ = 0;
    if (kept_.size() != room_) {
        kept_ = std::vector<char>(); // before the new one comes
        kept_.resize(room_);
    }
    reading_ = true;
    return asio::buffer(kept_);
}

void tls_wire::came(error_code ec, std::size_t n)
{
    reading_ = false;
    kept_end_ = n;
    was_full_ = n == room_;
    if (n < room_at_rest)
        room_ = room_at_rest;
    if (ec && ec != asio::error::operation_aborted)
        input_end_ = ec;
}

std::size_t tls_wire::take(std::span<char> into)
{
    if (reading_)
        return 0;
    if (kept_at_ < kept_end_)
        return take_kept(into);
    if (input_end_)
        return 0;
    error_code ec;
    const std::size_t n = under_->read_now(asio::buffer(into.data(), into.size()), ec);
    if (!ec && n > 0) {
        was_full_ = false;
        note(into.first(n));
        return n;
    }
    if (ec && !means_wait(ec))
        input_end_ = ec;
    else if (std::exchange(was_full_, false))
        room_ = room_for_records; // more was there, and this stream could not say so
    return 0;
}

std::size_t tls_wire::take_kept(std::span<char> into)
{
    const std::size_t n = std::min(into.size(), kept_end_ - kept_at_);
    std::memcpy(into.data(), kept_.data() + kept_at_, n);
    kept_at_ += n;
    note(into.first(n));
    return n;
}

void tls_wire::note(std::span<const char> first)
{
    if (noting_)
        heard_.append(first.data(), std::min(first.size(), heard_octets_max - heard_.size()));
}

void tls_wire::forget()
{
    noting_ = false;
    heard_ = std::string();
}

// What is left over when nothing can leave any more is taken and thrown away: the end is told to those
// who write, and who reads may still find what the peer said last.
std::size_t tls_wire::give(std::span<const char> octets)
{
    if (output_end_)
        return octets.size();
    std::size_t gone = 0;
    if (!owes()) {
        const asio::const_buffer all(octets.data(), octets.size());
        error_code ec;
        gone = under_->write_now({&all, 1}, ec);
        if (ec && !means_wait(ec)) {
            output_end_ = ec;
            return octets.size();
        }
    } else if (behind_.size() + octets.size() > behind_octets_max) {
        return 0;
    }
    behind_.insert(behind_.end(), octets.begin() + static_cast<std::ptrdiff_t>(gone), octets.end());
    return octets.size();
}

asio::const_buffer tls_wire::begin_write()
{
    if (leaving_.empty())
        leaving_.swap(behind_);
    writing_ = true;
    return asio::buffer(leaving_) + left_;
}

void tls_wire::left(error_code ec, std::size_t n)
{
    writing_ = false;
    left_ += n;
    if (ec && ec != asio::error::operation_aborted)
        output_end_ = ec;
    if (output_end_)
        behind_ = std::vector<char>();
    if (output_end_ || left_ >= leaving_.size()) {
        leaving_ = std::vector<char>(); // whoever is idle holds no buffers
        left_ = 0;
    }
}

} // namespace postrider::net
