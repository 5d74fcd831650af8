// SPDX-License-Identifier: MIT
#pragma once
// sandbox/sandbox_service: the sandbox as a service of an application.
//
// It listens from the privileged start on, so that it can have the ports of real servers where it is
// started as root, and gives them back when it stops. What cannot be listened on fails the start.

#include "postrider/app/service.hpp"
#include "sandbox/sandbox.hpp"
#include "sandbox/world.hpp"

#include <functional>
#include <optional>

namespace postrider::sandbox {

class sandbox_service final : public app::service {
public:
    /// `announce` is called with the start, when everything listens; what it throws fails the start.
    sandbox_service(world what, sandbox_options options, std::function<void(const description&)> announce);
    ~sandbox_service() override;

protected:
    void on_privileged_start() override;
    void on_start() override;
    app::eventually<void> on_stop() override;

private:
    world world_;
    sandbox_options options_;
    std::function<void(const description&)> announce_;
    std::optional<sandbox> sandbox_;
};

} // namespace postrider::sandbox
