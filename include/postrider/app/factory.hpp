// SPDX-License-Identifier: MIT
#pragma once
// app/factory: makes the protocol for each connection, and hears what becomes of connections.
//
// One factory serves many connections and keeps what they share.

#include "postrider/app/log.hpp"
#include "postrider/app/protocol.hpp"
#include "postrider/app/reason.hpp"

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>

namespace postrider::app {

class loop;

class factory {
public:
    factory();
    virtual ~factory();
    factory(const factory&) = delete;
    factory& operator=(const factory&) = delete;

    /// The protocol for a connection with `peer`; nothing refuses it. The default makes what
    /// set_protocol() named, and throws std::logic_error, saying what to do, if that was not called.
    virtual std::shared_ptr<protocol> build_protocol(const std::string& peer);

    /// One `Protocol` for each connection.
    template <std::derived_from<protocol> Protocol>
    void set_protocol()
    {
        static_assert(std::is_default_constructible_v<Protocol>,
                      "this protocol cannot be made without arguments: derive a factory of your own and "
                      "override build_protocol()");
        if constexpr (std::is_default_constructible_v<Protocol>)
            make_ = [] { return std::make_shared<Protocol>(); };
    }

    virtual void started() {} ///< before the first of the services that use it starts
    virtual void stopped() {} ///< when the last of them has stopped

    /// What protocol::factory() gives; another one where this stands in for it.
    virtual factory& origin() noexcept { return *this; }

    virtual std::string log_prefix() const; ///< the name of the class
    logger log() const { return logger(log_prefix()); }

private:
    friend class factory_use;
    std::function<std::shared_ptr<protocol>()> make_;
    unsigned uses_ = 0;
};

/// A factory of `Protocol`s, each made with copies of these arguments.
template <std::derived_from<protocol> Protocol, std::derived_from<factory> Base = factory, class... Arguments>
std::shared_ptr<Base> factory_of(Arguments... arguments)
{
    class of final : public Base {
    public:
        explicit of(std::function<std::shared_ptr<protocol>()> make) : make_(std::move(make)) {}
        std::shared_ptr<protocol> build_protocol(const std::string&) override { return make_(); }
        std::string log_prefix() const override { return "factory"; }

    private:
        std::function<std::shared_ptr<protocol>()> make_;
    };
    return std::make_shared<of>([arguments...] { return std::make_shared<Protocol>(arguments...); });
}

/// One client's way to its server: told to the factory with everything that happens. It lives as long as
/// the client; who keeps it longer than a callback keeps it by weak_from_this().
class connector : public std::enable_shared_from_this<connector> {
public:
    virtual ~connector() = default;

    /// Again. Throws std::logic_error while it is connecting or connected; does nothing once the client
    /// is being stopped.
    virtual void connect() = 0;
    virtual void stop_connecting() = 0;          ///< connection_failed() follows, with error::cancelled
    virtual void disconnect() = 0;               ///< whichever of the two ends is right
    virtual std::string destination() const = 0; ///< "mail.example.org:25"
    virtual bool active() const noexcept = 0;    ///< the client runs, and is not being stopped
    virtual bool idle() const noexcept = 0;      ///< neither connecting nor connected

    /// How long the connection has stood, or the last one stood.
    virtual std::chrono::nanoseconds stood() const = 0;

    virtual app::loop& loop() const = 0;
};

class client_factory : public factory {
public:
    virtual void started_connecting(connector&) {}

    /// The connection stands: its protocol's connection_made() has returned, and did not end it.
    virtual void connected(connector&, protocol&) {}

    /// No connection came about: the default logs the sentence, with host, address and reason, and
    /// notes the failure for the exit status (69).
    virtual void connection_failed(connector& which, const reason& why);

    virtual void connection_lost(connector&, const reason&) {}
};

} // namespace postrider::app
