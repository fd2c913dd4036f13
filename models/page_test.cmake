# Holds docs/adding-a-model.md to what it says: its row and its code are taken from the page as they
# stand there, and the conformance tests run on that model. A list of models made from models.def
# with one row more takes the place of the library's.
set(page ${PROJECT_SOURCE_DIR}/docs/adding-a-model.md)
set(page_dir ${CMAKE_CURRENT_BINARY_DIR}/page)
file(MAKE_DIRECTORY ${page_dir}/models)
add_custom_command(OUTPUT ${page_dir}/models/models.def ${page_dir}/herd_model.cc
  COMMAND sed -n [[/^```cpp/,/^```$/{/^```/d;p}]] ${page} > ${page_dir}/herd_model.cc
  COMMAND sed -n [[/^CONNBENCH_MODEL/,/")$/p]] ${page} |
    cat ${CMAKE_CURRENT_SOURCE_DIR}/models.def - > ${page_dir}/models/models.def
  DEPENDS ${page} models.def VERBATIM)
connbench_test(models_page_test
  SOURCES ${conformance_sources} ${conformance_themes} model_list.cc
          ${page_dir}/herd_model.cc ${page_dir}/models/models.def
  USES connbench_models_testing)
if(TARGET models_page_test)
  target_include_directories(models_page_test BEFORE PRIVATE ${page_dir})
  set_tests_properties(models_page_test PROPERTIES ENVIRONMENT "GTEST_FILTER=*/herd")
endif()
