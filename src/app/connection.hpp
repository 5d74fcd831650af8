// SPDX-License-Identifier: MIT
#pragma once
// app/connection: one stream, one protocol, and the promise that each callback is made in its order.
//
// Serves clients and servers alike. Reads while the protocol wants to, writes what it wrote, catches
// what its callbacks throw, and tells the owner once when all is over.

#include "net/asio.hpp"
#include "postrider/app/factory.hpp"
#include "postrider/app/loop.hpp"
#include "postrider/app/protocol.hpp"
#include "postrider/app/reason.hpp"
#include "postrider/app/transport.hpp"
#include "postrider/stream.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace postrider::app {

class connection final : public transport, public std::enable_shared_from_this<connection> {
public:
    using ended = std::function<void(const reason&)>;

    /// Asks `makes` for the protocol and begins. `role` stands behind the protocol's name in the log:
    /// "client"; "server,17". `when_ended` is called once, from the loop, after connection_lost(); also
    /// when no protocol could be made, with the reason.
    static std::shared_ptr<connection> begin(app::loop& where, std::shared_ptr<app::factory> makes,
                                             std::unique_ptr<stream> over, std::string role,
                                             ended when_ended);

    ~connection() override;

    /// The service stops: protocol::stop_requested(), as a callback.
    void request_stop();

    /// Ends it now, for this reason; connection_lost() is called from the loop.
    void cut(reason why);

    const std::shared_ptr<app::protocol>& protocol() const noexcept { return protocol_; }
    app::loop& loop() const noexcept { return loop_; }
    app::factory& factory() const noexcept { return *factory_; }
    const std::string& log_prefix() const noexcept { return prefix_; } ///< "echo,server,17"

    void write(std::string octets) override;
    void lose_connection() override;
    void abort_connection() override;
    void pause_reading() override;
    void resume_reading() override;
    std::size_t waiting_octets() const noexcept override;
    void set_write_limits(std::size_t high, std::size_t low) override;
    std::string peer() const override;
    std::unique_ptr<stream> take_stream() override;
    void released(std::error_code why, std::string sentence) override;

private:
    connection(app::loop& where, std::shared_ptr<app::factory> makes, std::unique_ptr<stream> over,
               std::string role, ended when_ended);

    app::loop& loop_;
    std::shared_ptr<app::factory> factory_;
    std::shared_ptr<app::protocol> protocol_;
    std::unique_ptr<stream> stream_;
    std::string role_, prefix_, peer_;
    ended when_ended_;
};

} // namespace postrider::app
