# Installs the build tree `build` into a fresh folder and moves it to `staged`: a path that was
# compiled in shows itself.
set(first "${staged}.first")
file(REMOVE_RECURSE "${staged}" "${first}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${build}" --config "${config}" --prefix "${first}"
                COMMAND_ERROR_IS_FATAL ANY)
file(RENAME "${first}" "${staged}")
file(GLOB_RECURSE texts "${staged}/*.cmake" "${staged}/*.pc" "${staged}/*.hpp")
foreach(file IN LISTS texts)
  file(STRINGS "${file}" told REGEX "${build}|${first}")
  if(told)
    message(FATAL_ERROR "${file} names the folder it was built in: ${told}")
  endif()
endforeach()
