// SPDX-License-Identifier: MIT
#pragma once
// app/factory_use: one service that uses a factory. The first one tells it that it has started, the last
// one that it has stopped.

#include "postrider/app/factory.hpp"

#include <memory>

namespace postrider::app {

class factory_use {
public:
    /// What factory::started() throws goes to the caller, and then it is not in use.
    explicit factory_use(std::shared_ptr<factory> what);
    ~factory_use(); ///< what factory::stopped() throws is logged
    factory_use(const factory_use&) = delete;
    factory_use& operator=(const factory_use&) = delete;

private:
    std::shared_ptr<factory> what_;
};

} // namespace postrider::app
