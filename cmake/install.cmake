# The package: one static library out of all layers but the sandbox and the command, its headers,
# the command, and what find_package and pkg-config need. Everything installed can be moved.
set(postrider_library_layers base smtp dns policy net app delivery)
set(postrider_objects ${postrider_library_layers})
list(TRANSFORM postrider_objects REPLACE "(.+)" "$<TARGET_OBJECTS:postrider_\\1>")
set(postrider_definitions
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)

add_library(postrider STATIC ${postrider_objects})
add_library(postrider::postrider ALIAS postrider)
set_target_properties(postrider PROPERTIES LINKER_LANGUAGE CXX)
target_include_directories(postrider PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(postrider PUBLIC cxx_std_20)
target_compile_definitions(postrider PUBLIC ${postrider_definitions})
target_link_libraries(postrider
  PUBLIC Boost::headers Threads::Threads
  PRIVATE fmt::fmt OpenSSL::SSL OpenSSL::Crypto LibIDN2::LibIDN2 LibUnbound::LibUnbound
          spdlog::spdlog)

if(NOT POSTRIDER_INSTALL)
  return()
endif()

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/postrider")
install(TARGETS postrider EXPORT postriderTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT postriderTargets NAMESPACE postrider:: DESTINATION ${package_folder})
install(DIRECTORY include/postrider DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(TARGET postrider_command)
  install(TARGETS postrider_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
file(GLOB manual_pages CONFIGURE_DEPENDS docs/man/*.1)
install(FILES ${manual_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

include(CMakePackageConfigHelpers)
configure_package_config_file(cmake/postriderConfig.cmake.in postriderConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(postriderConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/postriderConfig.cmake" "${PROJECT_BINARY_DIR}/postriderConfigVersion.cmake"
              cmake/FindLibIDN2.cmake cmake/FindLibUnbound.cmake
        DESTINATION ${package_folder})

# The .pc file finds the tree from where it stands itself.
file(RELATIVE_PATH POSTRIDER_PC_PREFIX "/top/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/top")
string(REGEX REPLACE "/$" "" POSTRIDER_PC_PREFIX "${POSTRIDER_PC_PREFIX}")
list(TRANSFORM postrider_definitions PREPEND -D OUTPUT_VARIABLE POSTRIDER_PC_DEFINITIONS)
list(JOIN POSTRIDER_PC_DEFINITIONS " " POSTRIDER_PC_DEFINITIONS)
configure_file(cmake/postrider.pc.in postrider.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/postrider.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
