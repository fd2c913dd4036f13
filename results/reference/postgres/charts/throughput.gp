set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/postgres/charts/throughput.svg"
set title "Throughput against connections"."\n"."workload steady, medians and range of 3 valid repetitions"
set xlabel "connections"
set ylabel "transactions per second"
set border 3 lw 1 lc rgb '#444444'
set tics nomirror
set grid y lc rgb '#dddddd' lw 1
set key outside below horizontal samplen 4 spacing 1.2
set style fill pattern border
set format y "%'.10g"
set decimalsign locale "C"
set yrange [0:*]
set logscale x
set grid x lc rgb '#dddddd' lw 1
set xtics ("8" 8, "64" 64, "256" 256)
$series0 << EOD
8 42135 41768 43160
64 39554 38151 41211
256 26673 25740 27670
EOD
$series1 << EOD
8 26116 24988 28486
64 27554 22278 27670
256 23973 22754 27100
EOD
$series2 << EOD
8 20352 20067 22024
64 17505 17066 20180
256 17875 17760 23108
EOD
$series3 << EOD
8 32670 31076 32950
64 20098 19027 25333
256 16472 16269 17177
EOD
$series4 << EOD
8 43706 43067 44249
64 39986 33564 47402
256 32333 26961 35850
EOD
$series5 << EOD
8 37490 31744 37853
64 42320 37412 45170
256 41709 34971 43814
EOD
plot $series0 using 1:2:3:4 with yerrorbars notitle lc rgb '#0072B2' pt 7, $series0 using 1:2 with linespoints title "fork" lc rgb '#0072B2' dt 1 lw 2 pt 7 ps 1.1, \
  $series1 using 1:2:3:4 with yerrorbars notitle lc rgb '#D55E00' pt 5, $series1 using 1:2 with linespoints title "pgbouncer+fork" lc rgb '#D55E00' dt 2 lw 2 pt 5 ps 1.1, \
  $series2 using 1:2:3:4 with yerrorbars notitle lc rgb '#009E73' pt 9, $series2 using 1:2 with linespoints title "pgbouncer+postgres" lc rgb '#009E73' dt 4 lw 2 pt 9 ps 1.1, \
  $series3 using 1:2:3:4 with yerrorbars notitle lc rgb '#CC79A7' pt 13, $series3 using 1:2 with linespoints title "postgres" lc rgb '#CC79A7' dt 5 lw 2 pt 13 ps 1.1, \
  $series4 using 1:2:3:4 with yerrorbars notitle lc rgb '#56B4E9' pt 11, $series4 using 1:2 with linespoints title "thread" lc rgb '#56B4E9' dt 3 lw 2 pt 11 ps 1.1, \
  $series5 using 1:2:3:4 with yerrorbars notitle lc rgb '#E69F00' pt 4, $series5 using 1:2 with linespoints title "thread-pool" lc rgb '#E69F00' dt 2 lw 2 pt 4 ps 1.1
