# cmake -DSTYLE=page.css -DSCRIPT=page.js -DOUTPUT=assets.cc -P embed.cmake: the two files as the
# constants of plots/page/assets.h. A literal of the compiler ends at its delimiter, so a file that
# holds it is refused.
set(delimiter "embedded_file")
set(source "#include \"plots/page/assets.h\"\n\nnamespace connbench::plots {\n\n")
foreach(pair kPageStyle=${STYLE} kPageScript=${SCRIPT})
  string(REGEX MATCH "^([A-Za-z]+)=(.*)$" pair "${pair}")
  set(name ${CMAKE_MATCH_1})
  file(READ "${CMAKE_MATCH_2}" text)
  if(text MATCHES "\\)${delimiter}\"|</(style|script)")
    message(FATAL_ERROR "${CMAKE_MATCH_2} holds what would end it inside the page")
  endif()
  string(APPEND source
    "const std::string_view ${name} = R\"${delimiter}(${text})${delimiter}\";\n\n")
endforeach()
string(APPEND source "}  // namespace connbench::plots\n")
file(WRITE "${OUTPUT}" "${source}")
