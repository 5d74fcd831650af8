// SPDX-License-Identifier: MIT
#pragma once
// net/unbound_events: the event loop that libunbound runs on, which is Asio's.
//
// libunbound brings no loop of its own when it is handed an ub_event_base: it asks that base for
// events (a descriptor that becomes readable or writable, a time that passes) and is called back.
// Here descriptors are watched by asio::posix::stream_descriptor and times by asio::steady_timer;
// real time, because what stands behind it are real sockets. Signals are not supported.
//
// Threads: libunbound's context and its events are used on one strand only, and called back there.
// A callback may free its own event, or any other. An event that was deactivated is never called
// back, even if it had become ready before.

#include "net/asio.hpp"

#include <unbound-event.h>

namespace postrider::net {

class unbound_events : private ub_event_base {
public:
    /// Callbacks run on `strand`. An events object must outlive the context that was created
    /// upon it.
    explicit unbound_events(asio::any_io_executor strand);
    unbound_events(const unbound_events&) = delete;
    unbound_events& operator=(const unbound_events&) = delete;

    /// For ub_ctx_create_ub_event().
    ub_event_base* base() noexcept { return this; }

private:
    static ub_event* new_event(ub_event_base* base, int descriptor, short bits,
                               void (*callback)(int, short, void*), void* argument) noexcept;

    static ub_event_base_vmt methods_;

    asio::any_io_executor strand_;
};

} // namespace postrider::net
