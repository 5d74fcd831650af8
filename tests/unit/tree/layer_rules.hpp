// SPDX-License-Identifier: MIT
#pragma once
// tree/layer_rules: who may know whom, and who may know the world (the table in CONTRIBUTING.md).
//
// A folder of src/ is a layer with a rank; a public header belongs to the layer that its head
// names. A file includes only its own layer and layers of lower rank. Below rank 3 there is no
// Asio, no clock, no environment, no randomness, no socket, no file and no thread. Each
// third-party library, and each clock, has its homes: the tables at the top of layer_rules.cpp.

#include "unit/tree/finding.hpp"

#include <vector>

namespace postrider::tree {

/// Every rule broken by files of src/ and include/postrider/.
std::vector<finding> broken_layer_rules(const files& tree);

} // namespace postrider::tree
