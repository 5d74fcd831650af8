# Third-party libraries, each found here and nowhere else, and met by one layer of the tree.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED) # Asio, Beast and JSON, used as headers
find_package(fmt REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(LibIDN2 REQUIRED)
find_package(LibUnbound REQUIRED)
find_package(spdlog REQUIRED)
find_path(CLI11_INCLUDE_DIR CLI/CLI.hpp REQUIRED)
