// SPDX-License-Identifier: MIT
// app/type_name: asks the C++ runtime, which knows how the compiler spells names.

#include "app/type_name.hpp"

#include <cstdlib>
#include <cxxabi.h>
#include <memory>

namespace postrider::app {
namespace {

struct give_back {
    void operator()(char* text) const noexcept { std::free(text); }
};

} // namespace

std::string type_name(const std::type_info& type)
{
    int status = 0;
    const std::unique_ptr<char, give_back> readable(
        abi::__cxa_demangle(type.name(), nullptr, nullptr, &status));
    return status == 0 && readable ? readable.get() : type.name();
}

} // namespace postrider::app
