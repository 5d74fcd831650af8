// SPDX-License-Identifier: MIT
// app/protocol: a protocol that does nothing, and its way to the connection.

#include "postrider/app/protocol.hpp"

#include "app/class_name.hpp"
#include "app/connection.hpp"

#include <stdexcept>
#include <typeinfo>

namespace postrider::app {
namespace {

connection& checked(connection* at, const char* what)
{
    if (!at)
        throw std::logic_error(std::string(what) +
                               ": there is a connection from connection_made() to connection_lost() only");
    return *at;
}

} // namespace

protocol::protocol() = default;
protocol::~protocol() = default;

void protocol::data_received(std::string_view) {}

void protocol::connection_lost(const reason&) {}

std::string protocol::log_prefix() const { return class_name(typeid(*this)); }

app::transport& protocol::transport() const { return checked(connection_, "transport()"); }

app::loop& protocol::loop() const { return checked(connection_, "loop()").loop(); }

app::factory& protocol::factory() const { return checked(connection_, "factory()").factory(); }

logger protocol::log() const { return logger(connection_ ? connection_->log_prefix() : log_prefix()); }

} // namespace postrider::app
