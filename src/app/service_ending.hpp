// SPDX-License-Identifier: MIT
#pragma once
// app/service_ending: one stop of one service, from the wish to the end.

#include "app/gate.hpp"
#include "app/loop_engine.hpp"
#include "postrider/app/eventually.hpp"
#include "postrider/app/reason.hpp"
#include "postrider/app/service.hpp"

#include <exception>
#include <string>

namespace postrider::app {

struct service::ending {
    explicit ending(service* who) : of(who) {}

    service* of; // nothing: it has stopped, or is gone
    std::string prefix;
    eventually<void> rest; // what on_stop() left to be done
    bool carried_on = false;
    asio::any_io_executor asked_on;
    gate over;

    /// From a catch clause.
    void note_failure(app::loop* where) const
    {
        if (where)
            where->engine().note_unhandled(prefix, std::current_exception());
        else
            logger(prefix).error("unhandled exception: " + description_of(std::current_exception()));
    }
};

} // namespace postrider::app
