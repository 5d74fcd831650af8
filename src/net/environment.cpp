// SPDX-License-Identifier: MIT
// net/environment: the real world: Asio's sockets, the system's clock, libunbound's answers.

#include "net/environment.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>

#include <random>
#include <utility>

namespace postrider::net {
namespace {

class real_environment final : public environment {
public:
    real_environment(asio::any_io_executor executor, resolver_options options)
        : executor_(std::move(executor)),
          timers_(asio::use_service<timer_service>(asio::query(executor_, asio::execution::context))),
          options_(std::move(options))
    {
    }

    asio::any_io_executor executor() const override { return executor_; }
    time_point now() const override { return timers_.now(); }

    void wait_until(time_point when, timer_service::handler done) override
    {
        timers_.wait_until(when, executor_, std::move(done));
    }

    // Made when first asked for: whoever sends to an address never pays for DNS.
    resolver& names() override
    {
        if (!names_)
            names_ = make_resolver(executor_, options_);
        return *names_;
    }

    void connect(const endpoint& to, connect_handler done) override
    {
        connect_socket(executor_, to, std::move(done));
    }

    std::uint32_t random(std::uint32_t bound) override
    {
        return std::uniform_int_distribution<std::uint32_t>(0, bound - 1)(engine_);
    }

private:
    asio::any_io_executor executor_;
    timer_service& timers_;
    resolver_options options_;
    std::shared_ptr<resolver> names_;
    std::mt19937 engine_{std::random_device{}()};
};

} // namespace

std::shared_ptr<environment> make_environment(asio::any_io_executor executor, resolver_options options)
{
    return std::make_shared<real_environment>(std::move(executor), std::move(options));
}

} // namespace postrider::net
