# Third-party libraries, each found here and nowhere else, and met by one layer of the tree.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED) # Asio, Beast and JSON, used as headers
find_package(fmt REQUIRED)
find_package(OpenSSL 3 REQUIRED)
pkg_check_modules(IDN2 REQUIRED IMPORTED_TARGET libidn2)
# libunbound's .pc file names libraries that a shared link does not need.
find_library(UNBOUND_LIBRARY unbound REQUIRED)
find_path(UNBOUND_INCLUDE_DIR unbound.h REQUIRED)
find_path(CLI11_INCLUDE_DIR CLI/CLI.hpp REQUIRED)
