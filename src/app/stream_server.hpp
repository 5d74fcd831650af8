// SPDX-License-Identifier: MIT
#pragma once
// app/stream_server: what is behind each kind of server: a listener, its connections, and their end.
//
// Everything that can be cut off is held here and nowhere else, by the number of the connection, which
// is also its name in the log. Those who are told later ("ended", "handshake done") hold us weakly.

#include "app/connection.hpp"
#include "app/factory_use.hpp"
#include "app/gate.hpp"
#include "app/handshakes.hpp"
#include "net/acceptor.hpp"
#include "postrider/app/eventually.hpp"
#include "postrider/app/servers.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace postrider::app {

struct stream_server::engine : std::enable_shared_from_this<stream_server::engine> {
    using opener = std::function<std::unique_ptr<net::acceptor>(asio::any_io_executor)>;

    engine(opener opens, std::shared_ptr<app::factory> makes);
    ~engine();

    /// Throws std::invalid_argument for what is no IP address.
    static std::shared_ptr<engine> at_address(const std::string& address, std::uint16_t port,
                                              std::shared_ptr<app::factory> makes);
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;

    std::function<void()> prepare; ///< before listening, while root may read what others may not
    handshakes::method secure;     ///< nothing: connections are used as they come
    std::chrono::milliseconds patience{10'000};

    void limit(std::size_t connections);
    void listen(app::loop& where);
    void accept(logger log);
    eventually<void> stop();
    void abandon() noexcept;

    std::size_t connections() const noexcept;
    const net::endpoint* where() const noexcept; ///< nothing while it does not listen

private:
    bool full() const noexcept { return connections() >= connections_max_; }
    void accept_while_there_is_room();
    void on_accepted(std::unique_ptr<stream> over);
    void on_trouble(error_code why);
    void begin(std::uint64_t number, std::unique_ptr<stream> over);
    void on_ended(std::uint64_t number);
    void cut_all();
    void finish();
    static asio::awaitable<void> wait_for_end(std::shared_ptr<engine> self);

    const opener opens_;
    const std::shared_ptr<app::factory> factory_;
    std::size_t connections_max_ = 1000;

    app::loop* loop_ = nullptr;
    logger log_;
    std::unique_ptr<net::acceptor> acceptor_;
    std::optional<factory_use> use_;
    std::unique_ptr<handshakes> handshakes_;
    std::map<std::uint64_t, std::shared_ptr<connection>> connections_; // null: it is being made
    std::uint64_t last_number_ = 0;

    std::shared_ptr<gate> end_; // somebody stops us, and waits
    asio::cancellation_signal alarm_;
};

} // namespace postrider::app
