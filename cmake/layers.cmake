# postrider_layer(NAME [DEPENDS layers...] [LIBRARIES targets...])
#
# One static library for the folder src/NAME: every .cpp file in it but main.cpp. DEPENDS names layers
# to its left in the table of CONTRIBUTING.md: nothing else of ours can be linked. LIBRARIES names
# the third-party targets that this layer meets.
function(postrider_layer name)
  cmake_parse_arguments(layer "" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    set(sources "${CMAKE_CURRENT_SOURCE_DIR}/../cmake/empty.cpp")
  endif()
  add_library(postrider_${name} STATIC ${sources})
  target_include_directories(postrider_${name} PUBLIC
    "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
  list(TRANSFORM layer_DEPENDS PREPEND postrider_)
  target_link_libraries(postrider_${name} PUBLIC ${layer_DEPENDS} ${layer_LIBRARIES}
                        PRIVATE postrider_flags)
endfunction()
