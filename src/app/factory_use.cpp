// SPDX-License-Identifier: MIT
// app/factory_use: counting.

#include "app/factory_use.hpp"

#include <exception>
#include <utility>

namespace postrider::app {

factory_use::factory_use(std::shared_ptr<factory> what) : what_(std::move(what))
{
    if (what_->uses_ == 0)
        what_->started();
    ++what_->uses_;
}

factory_use::~factory_use()
{
    if (--what_->uses_ > 0)
        return;
    try {
        what_->stopped();
    } catch (...) {
        what_->log().error("unhandled exception: " + description_of(std::current_exception()));
    }
}

} // namespace postrider::app
