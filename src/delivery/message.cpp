// SPDX-License-Identifier: MIT
// delivery/message: an envelope from text.

#include "postrider/message.hpp"

namespace postrider {

envelope::envelope(std::string_view reverse_path, std::initializer_list<std::string_view> recipients)
{
    if (!reverse_path.empty())
        from_ = address(reverse_path);
    for (std::string_view r : recipients)
        to_.emplace_back(r);
}

} // namespace postrider
