// SPDX-License-Identifier: MIT
#pragma once
// tree/finding: a rule of the house that a file breaks, and where.

#include <cstddef>
#include <map>
#include <ostream>
#include <string>

namespace postrider::tree {

/// The files of a tree, real or made up: the path from its top, and the text.
using files = std::map<std::string, std::string>;

struct finding {
    std::string file;
    std::size_t line = 0;
    std::string rule; ///< in a sentence, for the person who broke it

    friend std::ostream& operator<<(std::ostream& out, const finding& f)
    {
        return out << f.file << ':' << f.line << ": " << f.rule;
    }
};

} // namespace postrider::tree
