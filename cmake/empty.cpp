// SPDX-License-Identifier: MIT
// cmake/empty: a layer that has no source file yet still is a target.
