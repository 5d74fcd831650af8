// SPDX-License-Identifier: MIT
#pragma once
// sandbox/page_asset: the files of the mailbox page, as they were compiled in.
//
// page_asset.cpp is written by the build from src/sandbox/page/ (embed.cmake there), so the page
// needs no files at run time and no other tool than CMake at build time.

#include <span>
#include <string_view>

namespace postrider::sandbox {

struct page_asset {
    std::string_view path;    ///< "/style.css"; "/" for index.html
    std::string_view type;    ///< its Content-Type
    std::string_view content; ///< all its octets
};

std::span<const page_asset> page_assets() noexcept;

} // namespace postrider::sandbox
