// SPDX-License-Identifier: MIT
#pragma once
// app/class_name: what a class is called, for logs: without namespaces and template arguments.

#include <string>
#include <typeinfo>

namespace postrider::app {

/// "smtp_tutorial_client". Never empty.
std::string class_name(const std::type_info& type);

} // namespace postrider::app
