# connbench_check_model_rows(TABLE source.cc ...): every row of models.def names a factory that a
# source defines, and every factory has its row. Says which one is missing, and stops; without it
# the first is an undefined reference in every program and the second a model that nothing knows.
function(connbench_check_model_rows table)
  set(rows "")
  set(defined "")
  file(STRINGS ${table} lines REGEX "^CONNBENCH_MODEL\\(")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "^CONNBENCH_MODEL\\(\"([^\"]+)\", *([A-Za-z0-9_]+),")
      message(FATAL_ERROR "${table}: no name and factory in one line: ${line}")
    endif()
    list(APPEND rows ${CMAKE_MATCH_2})
    set(name_of_${CMAKE_MATCH_2} ${CMAKE_MATCH_1})
  endforeach()
  foreach(source IN LISTS ARGN)
    file(STRINGS ${source} lines REGEX "^ *std::unique_ptr<(models::)?Model> Make[A-Za-z0-9_]+\\(")
    foreach(line IN LISTS lines)
      string(REGEX MATCH "Make[A-Za-z0-9_]+" factory "${line}")
      list(APPEND defined ${factory})
      if(NOT factory IN_LIST rows)
        message(FATAL_ERROR "${source} makes a model, but no row of ${table} names ${factory}: "
          "add CONNBENCH_MODEL(name, ${factory}, summary, used_by) there")
      endif()
    endforeach()
  endforeach()
  foreach(factory IN LISTS rows)
    if(NOT factory IN_LIST defined)
      message(FATAL_ERROR "${table} has a row for \"${name_of_${factory}}\", but no file of a "
        "folder beside it begins a line with \"std::unique_ptr<Model> ${factory}(\": add the "
        "model, or take out the row")
    endif()
  endforeach()
endfunction()
