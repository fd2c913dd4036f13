// Nothing: the target connbench_unmeasured_headers exists for its precompiled headers
// (cmake/precompiled.cmake).
