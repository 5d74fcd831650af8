// SPDX-License-Identifier: MIT
#pragma once
// sandbox/capture_server: one mail exchanger of the sandbox: it takes all mail, and delivers none.
//
// Listens on loopback addresses only, speaks SMTP through smtp/server_session, and puts what comes
// into a mailbox together with the conversation that brought it. A message is in the mailbox before
// its 250 leaves, so whoever was told "delivered" can find it.
//
// Bounded: sessions, the octets of messages that are not complete yet, the time a client may be
// silent, and what the session bounds by itself.
//
// Threads: one, that of the environment's loop, which is the mailbox's too.

#include "net/environment.hpp"
#include "sandbox/mailbox.hpp"
#include "smtp/server_session.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::sandbox {

struct capture_options {
    smtp::server_options smtp; ///< its `name` is the exchanger's
    std::vector<asio::ip::address> addresses;
    std::uint16_t port = 0; ///< 0: any that is free, the same on all addresses
    std::size_t sessions_max = 200;
    std::size_t unfinished_octets_max = 256u << 20; ///< of messages on their way in, all together
};

class capture_server {
public:
    /// Is told of each line of each conversation as it is said: which exchanger, with which client,
    /// and what. It may not stop the server.
    using listener =
        std::function<void(std::string_view exchanger, std::string_view client, const spoken_line& line)>;

    /// Listens at once. Throws std::invalid_argument if there is no address, or one that is no
    /// loopback address, and boost::system::system_error, which names it, if one cannot be listened
    /// on. `box` must live until stop() or the destructor.
    capture_server(std::shared_ptr<net::environment> world, mailbox& box, capture_options options,
                   listener overhears = {});
    ~capture_server();
    capture_server(const capture_server&) = delete;
    capture_server& operator=(const capture_server&) = delete;

    std::uint16_t port() const noexcept;

    /// Closes the listeners and every session, and lets go of the mailbox. Waits for nothing; may be
    /// called again.
    void stop();

private:
    class state;
    std::shared_ptr<state> state_;
};

} // namespace postrider::sandbox
