// SPDX-License-Identifier: MIT
#pragma once
// delivery/in_world: clients and mailers in another world than the real one, for simulations.

#include "net/environment.hpp"
#include "postrider/client.hpp"
#include "postrider/mailer.hpp"
#include "postrider/mx_calculator.hpp"
#include "postrider/send_mail.hpp"

#include <memory>

namespace postrider::delivery {

/// The settings' DNS servers are not asked: names are the world's.
client client_in(std::shared_ptr<net::environment> world, settings how);
mailer mailer_in(std::shared_ptr<net::environment> world, settings how);
mx_calculator mx_calculator_in(std::shared_ptr<net::environment> world, settings how);
void send_mail_in(std::shared_ptr<net::environment> world, server where, message what, settings how,
                  retries again, completion<report> done);

} // namespace postrider::delivery
