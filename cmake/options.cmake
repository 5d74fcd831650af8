# What may be chosen when the tree is configured, and what every target of ours is compiled with.
option(POSTRIDER_TESTS "build the tests" ${PROJECT_IS_TOP_LEVEL})
option(POSTRIDER_FUZZ "build the fuzzers (clang only)" OFF)
option(POSTRIDER_BENCH "build the benchmarks" OFF)
option(POSTRIDER_INSTALL "rules to install the library and the command" ${PROJECT_IS_TOP_LEVEL})
set(POSTRIDER_SANITIZE "" CACHE STRING "sanitizers, as -fsanitize= takes them: address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

add_library(postrider_flags INTERFACE)
target_compile_options(postrider_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference -Wimplicit-fallthrough)
if(PROJECT_IS_TOP_LEVEL)
  target_compile_options(postrider_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports null dereferences and dangling pointers inside its own standard library and Asio,
  # where it inlines the operators of Asio's coroutine frames, a new and delete that differ, and, at
  # -O3, overlapping copies in the + of std::string (GCC bug 105651).
  target_compile_options(postrider_flags INTERFACE
    -Wno-null-dereference -Wno-dangling-pointer -Wno-mismatched-new-delete -Wno-restrict -fcoroutines)
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # libstdc++ 12 calls a function in std::stable_partition that it has itself deprecated, and clang
  # says so at our line. What is deprecated elsewhere, g++ tells.
  target_compile_options(postrider_flags INTERFACE -Wno-deprecated-declarations)
endif()

if(POSTRIDER_SANITIZE)
  add_compile_options(-fsanitize=${POSTRIDER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${POSTRIDER_SANITIZE})
  if(POSTRIDER_SANITIZE MATCHES "thread")
    # Asio counts references with fences, which no thread sanitizer models: 10 false races in 10 runs.
    add_compile_definitions(BOOST_ASIO_DISABLE_STD_ATOMIC)
  endif()
  if(POSTRIDER_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan) # Asio uses fences, which g++'s sanitizer says it does not model
  endif()
endif()

if(POSTRIDER_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "POSTRIDER_FUZZ needs clang: libFuzzer is its library")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link) # every layer tells the fuzzer where it has been
endif()

find_program(POSTRIDER_MOLD mold)
if(POSTRIDER_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(POSTRIDER_CCACHE ccache)
if(POSTRIDER_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${POSTRIDER_CCACHE})
endif()
