// SPDX-License-Identifier: MIT
// sandbox/json_source: the one translation unit that compiles Boost.JSON.

#include <boost/json/src.hpp>
