// SPDX-License-Identifier: MIT
// e2e/programs/runner: an application for the tests of the runner. The command line is the runner's, so
// the environment variable SERVICES says what it is made of: names from the table at the end.

#include "postrider/app/factory.hpp"
#include "postrider/app/protocol.hpp"
#include "postrider/app/run.hpp"
#include "postrider/app/servers.hpp"
#include "postrider/app/timer_service.hpp"

#include <boost/asio/awaitable.hpp>

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace {

using namespace std::chrono_literals;
using namespace postrider::app;

/// Says what happens to it, and as whom.
class witness : public service {
public:
    using service::service;

protected:
    void on_privileged_start() override { log().info("prepared as " + std::to_string(::geteuid())); }
    void on_start() override { log().info("started as " + std::to_string(::geteuid())); }
    eventually<void> on_stop() override { return stop_slowly(this); }

private:
    static boost::asio::awaitable<void> stop_slowly(witness* self)
    {
        co_await self->loop().async_sleep(10ms);
        self->log().info("stopped");
    }
};

/// Fails in one of the two steps.
class unable : public service {
public:
    unable(bool privileged, std::function<void()> failure)
        : service("unable"), privileged_(privileged), failure_(std::move(failure))
    {
    }

protected:
    void on_privileged_start() override
    {
        if (privileged_)
            failure_();
    }
    void on_start() override { failure_(); }

private:
    bool privileged_;
    std::function<void()> failure_;
};

class endless : public service {
public:
    endless() : service("endless") {}

protected:
    eventually<void> on_stop() override { return sleep_for_ever(this); }

private:
    static boost::asio::awaitable<void> sleep_for_ever(endless* self)
    {
        co_await self->loop().async_sleep(24h);
    }
};

/// Does something soon after the start.
class once : public service {
public:
    once(std::string name, std::function<void(postrider::app::loop&)> what)
        : service(std::move(name)), what_(std::move(what))
    {
    }

protected:
    void on_start() override
    {
        loop().call_soon([this] { what_(loop()); }, name());
    }

private:
    std::function<void(postrider::app::loop&)> what_;
};

class echo final : public protocol {
protected:
    void data_received(std::string_view octets) override { transport().write(std::string(octets)); }
};

std::shared_ptr<service> talker()
{
    const auto line = std::make_shared<unsigned>(0);
    return std::make_shared<timer_service>(
        1ms,
        [line] {
            for (int i = 0; i < 20; ++i)
                logger("talker").info("line " + std::to_string(++*line));
        },
        "talker");
}

std::shared_ptr<service> listener()
{
    auto makes = std::make_shared<factory>();
    makes->set_protocol<echo>();
    return std::make_shared<inherited_server>("echo", std::move(makes));
}

[[noreturn]] void give_no_reason() { throw std::runtime_error("there is no row 17"); }

[[noreturn]] void find_the_port_taken()
{
    throw std::system_error(EADDRINUSE, std::generic_category(), "cannot listen on 127.0.0.1:25");
}

void never_return(postrider::app::loop&)
{
    for (;;)
        ::pause();
}

using maker = std::function<std::shared_ptr<service>()>;
const std::map<std::string, maker> makers{
    {"witness", [] { return std::make_shared<witness>("witness"); }},
    {"unprepared", [] { return std::make_shared<unable>(true, give_no_reason); }},
    {"unable", [] { return std::make_shared<unable>(false, give_no_reason); }},
    {"port", [] { return std::make_shared<unable>(true, find_the_port_taken); }},
    {"endless", [] { return std::make_shared<endless>(); }},
    {"stuck", [] { return std::make_shared<once>("stuck", never_return); }},
    {"talker", talker},
    {"listener", listener},
    {"throws", [] { return std::make_shared<once>("throws", [](auto&) { give_no_reason(); }); }},
    {"ends", [] { return std::make_shared<once>("ends", [](auto& loop) { loop.stop(3); }); }},
    {"dies", [] { return std::make_shared<unable>(false, [] { ::_exit(9); }); }},
};

} // namespace

int main(int argc, char** argv)
{
    application application("Runner Test");
    if (const char* user = std::getenv("RUN_AS"))
        application.run_as(user);
    const char* const services = std::getenv("SERVICES");
    std::istringstream names(services == nullptr ? "" : services);
    for (std::string name; names >> name;)
        application.add(makers.at(name)());
    return run(application, argc, argv);
}
