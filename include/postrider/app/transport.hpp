// SPDX-License-Identifier: MIT
#pragma once
// app/transport: a protocol's side of its connection: write, close, slow down.
//
// Writing never blocks: what the peer does not take yet is kept. Who writes more than the peer takes is
// told so by protocol::writing_paused(), above the high mark, and by writing_resumed() at the low one;
// one that goes on regardless loses the connection at 16 times the high mark, for memory has an end.

#include "postrider/stream.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace postrider::app {

class transport {
public:
    virtual ~transport() = default;

    /// After lose_connection() and abort_connection(): nothing is written.
    virtual void write(std::string octets) = 0;

    /// Closes when what was written has left. Nothing that comes meanwhile is delivered.
    virtual void lose_connection() = 0;

    /// Closes at once; what has not left is thrown away.
    virtual void abort_connection() = 0;

    /// No data_received() until resume_reading(): the peer is slowed down in turn.
    virtual void pause_reading() = 0;
    virtual void resume_reading() = 0; ///< protocol::reading_resumed() follows, then what has come

    /// Whether data_received() may still come: neither paused nor closing.
    virtual bool reading() const noexcept = 0;

    virtual std::size_t waiting_octets() const noexcept = 0;              ///< written, and not yet taken
    virtual void set_write_limits(std::size_t high, std::size_t low) = 0; ///< default: 64 KiB and 16 KiB

    virtual std::string peer() const = 0; ///< "192.0.2.1:25"; "unix:/run/lmtp"

    /// The connection itself, for protocols that read and write by themselves, as sessions do: no
    /// data_received() from now on, and the end is told with `released`. In connection_made() only.
    virtual std::unique_ptr<stream> take_stream() = 0;

    /// What was taken has ended, for this reason: connection_lost() follows, as for any connection.
    virtual void released(std::error_code why, std::string sentence) = 0;

protected:
    transport() = default;
    transport(const transport&) = delete;
    transport& operator=(const transport&) = delete;
};

} // namespace postrider::app
