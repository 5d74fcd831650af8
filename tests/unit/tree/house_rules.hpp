// SPDX-License-Identifier: MIT
#pragma once
// tree/house_rules: what every text file of the tree keeps to, whatever it says.
//
// No tabs, no blanks at line ends, no path of somebody's machine; a source begins with its licence
// and a head that names what it is.

#include "unit/tree/finding.hpp"

#include <vector>

namespace postrider::tree {

/// Every rule broken by `tree`, whose files are all text.
std::vector<finding> broken_house_rules(const files& tree);

} // namespace postrider::tree
