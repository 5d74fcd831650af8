// SPDX-License-Identifier: MIT
// app/tls_server: a server whose connections are used after a handshake.

#include "app/stream_server.hpp"
#include "net/tls_stream.hpp"
#include "postrider/app/servers.hpp"

#include <utility>

namespace postrider::app {

// Certificate and key are read at each start, so that a new one is used after the next.
tls_server::tls_server(const std::string& address, std::uint16_t port, std::shared_ptr<factory> makes,
                       tls_server_settings how)
    : stream_server(engine::at_address(address, port, std::move(makes)), {})
{
    const auto context = std::make_shared<std::shared_ptr<net::tls_context>>();
    engine_->prepare = [context, how = std::move(how)] { *context = net::make_tls_context(how); };
    engine_->secure = [context](std::unique_ptr<stream> over,
                                asio::any_completion_handler<void(net::tls_result)> done) {
        net::start_tls(std::move(over), *context, {}, std::move(done));
    };
}

std::uint16_t tls_server::port() const noexcept { return listening_port(); }

} // namespace postrider::app
