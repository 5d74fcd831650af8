# The page's files, compiled into postrider_sandbox as src/sandbox/page_asset.hpp declares them.
#
# Included by src/CMakeLists.txt it adds the build step; the step runs this file again as a script
# (cmake -P) that writes OUTPUT. Nothing else than CMake is needed to build the page.

set(page_assets
  "/|index.html|text/html"
  "/style.css|style.css|text/css"
  "/mailbox.js|mailbox.js|text/javascript"
  "/detail.js|detail.js|text/javascript"
  "/dom.js|dom.js|text/javascript"
  "/list.js|list.js|text/javascript"
  "/welcome.js|welcome.js|text/javascript"
  "/icon.svg|icon.svg|image/svg+xml")

if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(page_files)
  foreach(asset IN LISTS page_assets)
    string(REGEX REPLACE "^[^|]*\\|([^|]*)\\|.*$" "${CMAKE_CURRENT_LIST_DIR}/\\1" file "${asset}")
    list(APPEND page_files "${file}")
  endforeach()
  set(page_source "${CMAKE_CURRENT_BINARY_DIR}/page_asset.cpp")
  add_custom_command(OUTPUT "${page_source}"
    COMMAND "${CMAKE_COMMAND}" "-DOUTPUT=${page_source}" -P "${CMAKE_CURRENT_LIST_FILE}"
    DEPENDS ${page_files} "${CMAKE_CURRENT_LIST_FILE}"
    COMMENT "Embedding the mailbox page" VERBATIM)
  target_sources(postrider_sandbox PRIVATE "${page_source}")
  return()
endif()

set(arrays "")
set(rows "")
set(number 0)
foreach(asset IN LISTS page_assets)
  string(REGEX MATCH "^([^|]*)\\|([^|]*)\\|(.*)$" matched "${asset}")
  set(path "${CMAKE_MATCH_1}")
  set(type "${CMAKE_MATCH_3}; charset=utf-8") # in the list its semicolon would part two items
  file(READ "${CMAKE_CURRENT_LIST_DIR}/${CMAKE_MATCH_2}" octets HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," octets "${octets}")
  string(APPEND arrays "constexpr char file_${number}[] = {${octets}};\n")
  string(APPEND rows "    {\"${path}\", \"${type}\", {file_${number}, sizeof file_${number}}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUTPUT}" "// Written by src/sandbox/page/embed.cmake; change the files beside it instead.
#include \"sandbox/page_asset.hpp\"

namespace postrider::sandbox {
namespace {
${arrays}
constexpr page_asset assets[] = {
${rows}};
} // namespace

std::span<const page_asset> page_assets() noexcept { return assets; }
} // namespace postrider::sandbox
")
