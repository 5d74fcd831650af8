# Finds libidn2: LibIDN2::LibIDN2. Installed beside postriderConfig.cmake, which needs it too.
find_path(LibIDN2_INCLUDE_DIR idn2.h)
find_library(LibIDN2_LIBRARY idn2)
mark_as_advanced(LibIDN2_INCLUDE_DIR LibIDN2_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibIDN2 REQUIRED_VARS LibIDN2_LIBRARY LibIDN2_INCLUDE_DIR)

if(LibIDN2_FOUND AND NOT TARGET LibIDN2::LibIDN2)
  add_library(LibIDN2::LibIDN2 UNKNOWN IMPORTED)
  set_target_properties(LibIDN2::LibIDN2 PROPERTIES
    IMPORTED_LOCATION "${LibIDN2_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${LibIDN2_INCLUDE_DIR}")
endif()
