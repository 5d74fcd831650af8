// SPDX-License-Identifier: MIT
// sandbox/sandbox_service: the sandbox as a service of an application.

#include "sandbox/sandbox_service.hpp"

#include "app/loop_engine.hpp"

#include <fmt/format.h>

#include <utility>

namespace postrider::sandbox {

sandbox_service::sandbox_service(world what, sandbox_options options,
                                 std::function<void(const description&)> announce)
    : service("sandbox"), world_(std::move(what)), options_(std::move(options)),
      announce_(std::move(announce))
{
}

sandbox_service::~sandbox_service() = default;

void sandbox_service::on_privileged_start() { sandbox_.emplace(loop().engine().world(), world_, options_); }

void sandbox_service::on_start()
{
    const description& about = sandbox_->about();
    log().info(fmt::format("The page is {}, DNS listens on {}, exchangers on port {}.", about.page(),
                           about.resolver(), about.smtp_port));
    announce_(about);
}

app::eventually<void> sandbox_service::on_stop()
{
    sandbox_.reset();
    return {};
}

} // namespace postrider::sandbox
