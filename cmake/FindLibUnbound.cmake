# Finds libunbound: LibUnbound::LibUnbound. Installed beside postriderConfig.cmake, which needs it
# too. Its own .pc file is no help: it names libraries that a shared link neither has nor needs.
find_path(LibUnbound_INCLUDE_DIR unbound.h)
find_library(LibUnbound_LIBRARY unbound)
mark_as_advanced(LibUnbound_INCLUDE_DIR LibUnbound_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibUnbound REQUIRED_VARS LibUnbound_LIBRARY LibUnbound_INCLUDE_DIR)

if(LibUnbound_FOUND AND NOT TARGET LibUnbound::LibUnbound)
  add_library(LibUnbound::LibUnbound UNKNOWN IMPORTED)
  set_target_properties(LibUnbound::LibUnbound PROPERTIES
    IMPORTED_LOCATION "${LibUnbound_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${LibUnbound_INCLUDE_DIR}")
endif()
