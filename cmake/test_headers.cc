// Nothing: the target connbench_test_headers exists for its precompiled headers
// (cmake/precompiled.cmake).
