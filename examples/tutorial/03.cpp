// SPDX-License-Identifier: MIT
// tutorial/03: a client with an address.

#include <postrider/app/application.hpp>
#include <postrider/app/clients.hpp>
#include <postrider/app/run.hpp>

namespace app = postrider::app;

int main(int argc, char** argv)
{
    app::application application("SMTP Client Tutorial");
    auto factory = std::make_shared<app::client_factory>();
    application.emplace<app::tcp_client>("localhost", 2525, factory);
    return app::run(application, argc, argv);
}
