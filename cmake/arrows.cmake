# connbench_include_path(TARGET PART): gives the target an include path that holds only the headers
# that the part may reach by the arrows of cmake/arrows.txt, its own and those of the parts it may
# include: a folder of links, made when CMake runs. An arrow in the wrong direction does not
# compile. (That a part includes directly only what its row says is checked by
# tests/style/arrows.py.)
set(arrows_table ${CMAKE_CURRENT_LIST_DIR}/arrows.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${arrows_table})
file(STRINGS ${arrows_table} arrows_rows REGEX "^[a-z]")

# The parts that PART may reach, itself and the smaller parts that it is made of included.
function(connbench_reachable_parts part result)
  set(reached "")
  foreach(row IN LISTS arrows_rows)
    string(REGEX MATCH "^[^:]+" name "${row}")
    if(name STREQUAL part OR name MATCHES "^${part}/")
      list(APPEND reached ${name})
    endif()
  endforeach()
  # A row may name only rows above it, so that one pass from the last row to the first finds all.
  set(rows ${arrows_rows})
  list(REVERSE rows)
  foreach(row IN LISTS rows)
    string(REGEX MATCH "^([^:]+):(.*)" row "${row}")
    set(allowed "${CMAKE_MATCH_2}")
    if(CMAKE_MATCH_1 IN_LIST reached)
      separate_arguments(allowed UNIX_COMMAND "${allowed}")
      list(APPEND reached ${allowed})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES reached)
  set(${result} ${reached} PARENT_SCOPE)
endfunction()

# Links the headers of one part below ROOT: a header, a folder, or a folder's own headers if smaller
# parts stand in it.
function(connbench_link_part root part)
  set(source ${PROJECT_SOURCE_DIR}/${part})
  set(headers ${part})
  if(IS_DIRECTORY ${source} AND "${arrows_rows}" MATCHES "(^|;)${part}/")
    file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
      ${source}/*.h ${source}/*.def)
    string(REGEX MATCHALL "(^|;)${part}/[a-z_]+\\.h" others "${arrows_rows}")
    list(REMOVE_ITEM headers ${others})
  endif()
  foreach(header IN LISTS headers)
    cmake_path(GET header PARENT_PATH folder)
    file(MAKE_DIRECTORY ${root}/${folder})
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${header} ${root}/${header} SYMBOLIC)
  endforeach()
endfunction()

function(connbench_include_path target part)
  string(REPLACE "/" "_" folder ${part})
  set(root ${PROJECT_BINARY_DIR}/arrows/${folder})
  file(REMOVE_RECURSE ${root})
  connbench_reachable_parts(${part} parts)
  if(NOT parts)
    message(FATAL_ERROR "${arrows_table} has no row for ${part}, the folder of ${target}: add one")
  endif()
  foreach(one IN LISTS parts)
    connbench_link_part(${root} ${one})
  endforeach()
  target_include_directories(${target} PRIVATE ${root})
endfunction()
