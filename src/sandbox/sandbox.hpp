// SPDX-License-Identifier: MIT
#pragma once
// sandbox/sandbox: a mail Internet in one process: DNS, exchangers that take all mail, and the page
// that shows it.
//
// Everything listens on loopback addresses, and nothing ever connects to anywhere: mail that comes
// here stays here. The exchangers share one port, which is not 25, so that no privilege is needed.
//
// Threads: one, that of the environment's loop.

#include "net/environment.hpp"
#include "sandbox/capture_server.hpp"
#include "sandbox/dns_server.hpp"
#include "sandbox/json_description.hpp"
#include "sandbox/mailbox.hpp"
#include "sandbox/world.hpp"

#include <cstdint>
#include <memory>

namespace postrider::sandbox {

struct sandbox_options {
    std::uint16_t dns_port = 0; ///< 0: any that is free; so too the next two
    std::uint16_t smtp_port = 0;
    std::uint16_t http_port = 0;
    capture_server::listener overhears; ///< what is said to exchangers, line by line
    dns_server::observer hears;         ///< what DNS is asked
};

class sandbox {
public:
    /// Everything listens when this returns. Throws boost::system::system_error if something cannot
    /// be listened on; its text names the address.
    sandbox(std::shared_ptr<net::environment> environment, const world& what, sandbox_options options = {});
    ~sandbox();
    sandbox(const sandbox&) = delete;
    sandbox& operator=(const sandbox&) = delete;

    const description& about() const noexcept;
    mailbox& mail() noexcept;

    /// Closes everything, waits for nothing; may be called again.
    void stop();

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

} // namespace postrider::sandbox
