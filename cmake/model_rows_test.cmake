# cmake -DFOLDER=scratch -P model_rows_test.cmake: holds connbench_check_model_rows to its messages.
# Runs itself, with CHECK set, for each case, because a check that fails ends the script.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/model_rows.cmake)
set(table ${FOLDER}/models.def)
set(source ${FOLDER}/one_model.cc)
if(CHECK)
  connbench_check_model_rows(${table} ${source})
  return()
endif()

# expect(MESSAGE ROW CODE): "" for no complaint.
function(expect message row code)
  file(WRITE ${table} "// a table\n${row}\n")
  file(WRITE ${source} "${code}\n")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -DCHECK=ON -DFOLDER=${FOLDER} -P ${CMAKE_CURRENT_FUNCTION_LIST_FILE}
    RESULT_VARIABLE result ERROR_VARIABLE said)
  string(REGEX REPLACE "[ \n]+" " " said "${said}")
  string(FIND "${said}" "${message}" found)
  if(message STREQUAL "" AND result EQUAL 0)
    return()
  endif()
  if(NOT message STREQUAL "" AND NOT result EQUAL 0 AND found GREATER_EQUAL 0)
    return()
  endif()
  message(FATAL_ERROR
    "for row '${row}' and code '${code}' expected '${message}', not (${result}) '${said}'")
endfunction()

set(row "CONNBENCH_MODEL(\"one\", MakeOneModel,")
set(code "std::unique_ptr<Model> MakeOneModel(const ModelContext& context) {")
expect("" "${row}" "${code}")
expect("has a row for \"one\", but no file" "${row}" "int x;")
expect("no row of ${table} names MakeOneModel" "" "${code}")
expect("no name and factory in one line" "CONNBENCH_MODEL(" "${code}")
