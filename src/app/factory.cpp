// SPDX-License-Identifier: MIT
// app/factory: what a factory does that was told nothing else.

#include "postrider/app/factory.hpp"

#include "app/class_name.hpp"
#include "postrider/app/loop.hpp"

#include <stdexcept>
#include <typeinfo>

namespace postrider::app {
namespace {

constexpr int unavailable = 69; // EX_UNAVAILABLE

} // namespace

factory::factory() = default;
factory::~factory() = default;

std::shared_ptr<protocol> factory::build_protocol(const std::string&)
{
    if (!make_)
        throw std::logic_error(class_name(typeid(*this)) +
                               " has no protocol: call set_protocol<...>() or override build_protocol()");
    return make_();
}

std::string factory::log_prefix() const { return class_name(typeid(*this)); }

void client_factory::connection_failed(connector& which, const reason& why)
{
    log().error(why.sentence());
    which.loop().note_failure(unavailable);
}

} // namespace postrider::app
