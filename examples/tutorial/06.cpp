// SPDX-License-Identifier: MIT
// tutorial/06: a factory of one's own, which knows how to make the protocol.

#include <postrider/app/application.hpp>
#include <postrider/app/clients.hpp>
#include <postrider/app/run.hpp>
#include <postrider/esmtp_client.hpp>

namespace app = postrider::app;

class smtp_client_factory : public app::client_factory {
public:
    std::shared_ptr<app::protocol> build_protocol(const std::string&) override
    {
        return std::make_shared<postrider::esmtp_client>("example.com");
    }
};

int main(int argc, char** argv)
{
    app::application application("SMTP Client Tutorial");
    application.emplace<app::tcp_client>("localhost", 2525, std::make_shared<smtp_client_factory>());
    return app::run(application, argc, argv);
}
