// SPDX-License-Identifier: MIT
#pragma once
// base/version: which postrider this is.

#include <string_view>

namespace postrider {

inline constexpr std::string_view version = "0.1.0";

} // namespace postrider
