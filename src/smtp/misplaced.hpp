// SPDX-License-Identifier: MIT
#pragma once
// smtp/misplaced: the problem with a character that may not stand where it stands.
//
// For the parsers of addresses, whose sentences all read "a space at octet 4: put the local part in
// quotes". Octets are counted from 0, as problem::at is.

#include "postrider/result.hpp"

#include <cstddef>
#include <string_view>

namespace postrider::smtp {

/// Names what stands at `text[at]`, where, and what to do about it. `offset` is where `text` begins
/// in the whole input.
problem misplaced(std::string_view text, std::size_t at, std::string_view advice, std::size_t offset = 0);

} // namespace postrider::smtp
