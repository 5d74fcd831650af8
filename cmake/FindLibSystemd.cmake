# Finds libsystemd: LibSystemd::LibSystemd. Installed beside postriderConfig.cmake, which needs it too.
find_path(LibSystemd_INCLUDE_DIR systemd/sd-daemon.h)
find_library(LibSystemd_LIBRARY systemd)
mark_as_advanced(LibSystemd_INCLUDE_DIR LibSystemd_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibSystemd REQUIRED_VARS LibSystemd_LIBRARY LibSystemd_INCLUDE_DIR)

if(LibSystemd_FOUND AND NOT TARGET LibSystemd::LibSystemd)
  add_library(LibSystemd::LibSystemd UNKNOWN IMPORTED)
  set_target_properties(LibSystemd::LibSystemd PROPERTIES
    IMPORTED_LOCATION "${LibSystemd_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${LibSystemd_INCLUDE_DIR}")
endif()
