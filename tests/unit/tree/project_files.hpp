// SPDX-License-Identifier: MIT
#pragma once
// tree/project_files: the text files of this project, as they lie on the disk.

#include "unit/tree/finding.hpp"

namespace postrider::tree {

/// Sources, scripts, build files and documents. Not builds, and not messages, corpora and
/// transcripts, which are kept octet for octet.
files project_files();

} // namespace postrider::tree
