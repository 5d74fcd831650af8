// SPDX-License-Identifier: MIT
#pragma once
// app/type_name: a type as it is written in C++: "std::runtime_error".

#include <string>
#include <typeinfo>

namespace postrider::app {

/// With namespaces and template arguments. The compiler's own name where it cannot be read.
std::string type_name(const std::type_info& type);

} // namespace postrider::app
