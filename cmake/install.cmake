# Filled in with the package: find_package(postrider), pkg-config.
