// SPDX-License-Identifier: MIT
// tutorial/05: the protocol of SMTP. The compiler refuses this one, and says why.

#include <postrider/app/application.hpp>
#include <postrider/app/clients.hpp>
#include <postrider/app/run.hpp>
#include <postrider/esmtp_client.hpp>

namespace app = postrider::app;

int main(int argc, char** argv)
{
    app::application application("SMTP Client Tutorial");
    auto factory = std::make_shared<app::client_factory>();
    factory->set_protocol<postrider::esmtp_client>();
    application.emplace<app::tcp_client>("localhost", 2525, factory);
    return app::run(application, argc, argv);
}
