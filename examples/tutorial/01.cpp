// SPDX-License-Identifier: MIT
// tutorial/01: an application that does nothing.

#include <postrider/app/application.hpp>
#include <postrider/app/run.hpp>

namespace app = postrider::app;

int main(int argc, char** argv)
{
    app::application application("SMTP Client Tutorial");
    return app::run(application, argc, argv);
}
