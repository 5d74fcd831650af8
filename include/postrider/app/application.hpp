// SPDX-License-Identifier: MIT
#pragma once
// app/application: the root of a program's services, with its loop, its name and whom it runs as.
//
//     postrider::app::application application("SMTP Client Tutorial");
//     application.emplace<my_service>();
//     return postrider::app::run(application, argc, argv);
//
// Programs with an event loop of their own give its executor and need no runner: start() and
// `co_await stop()` are those of any service, and the latter can be followed by another start();
// loop().stop() stops it for good. Destroyed while it runs, it lets go of its services unstopped, and
// those let go of their connections; who holds one holds an idle one then.

#include "postrider/app/loop.hpp"
#include "postrider/app/service.hpp"

#include <optional>
#include <string>

namespace postrider::app {

class application : public multi_service {
public:
    explicit application(std::string name);
    application(std::string name, boost::asio::any_io_executor executor); ///< on the program's own loop
    application(std::string name, std::shared_ptr<loop_engine> engine);   // for simulations
    ~application() override;

    /// Whom the process becomes after the privileged start: a name or a number. The options --uid and
    /// --gid of the runner win. Without a group it is the user's own.
    application& run_as(std::string user, std::string group = {});
    const std::string& user() const noexcept { return user_; }
    const std::string& group() const noexcept { return group_; }

    app::loop& loop() noexcept { return loop_; }

protected:
    app::loop* own_loop() const noexcept override { return &loop_; }

private:
    void end_with_services();

    std::string user_, group_;
    mutable app::loop loop_;
};

} // namespace postrider::app
