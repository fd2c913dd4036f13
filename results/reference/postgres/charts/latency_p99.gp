set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/postgres/charts/latency_p99.svg"
set title "99th percentile of latency against connections"."\n"."workload steady, medians and range of 3 valid repetitions"
set xlabel "connections"
set ylabel "latency p99 (us)"
set border 3 lw 1 lc rgb '#444444'
set tics nomirror
set grid y lc rgb '#dddddd' lw 1
set key outside below horizontal samplen 4 spacing 1.2
set style fill pattern border
set format y "%'.10g"
set decimalsign locale "C"
set logscale y
set logscale x
set grid x lc rgb '#dddddd' lw 1
set xtics ("8" 8, "64" 64, "256" 256)
$series0 << EOD
8 386.815 363.775 438.527
64 3180.543 2983.935 3457.023
256 18022.399 16580.607 19759.103
EOD
$series1 << EOD
8 610.815 556.031 640.511
64 3788.799 3528.703 4607.999
256 15237.119 13647.871 17760.255
EOD
$series2 << EOD
8 745.983 732.671 784.895
64 6012.927 5611.519 11067.391
256 18366.463 16842.751 28082.175
EOD
$series3 << EOD
8 537.599 506.367 582.655
64 6311.935 4943.871 6356.991
256 28819.455 28000.255 29229.055
EOD
$series4 << EOD
8 349.695 340.991 371.455
64 3268.607 2455.551 3543.039
256 14893.055 12386.303 16138.239
EOD
$series5 << EOD
8 413.951 411.903 479.231
64 2889.727 2580.479 3815.423
256 11116.543 10354.687 15867.903
EOD
plot $series0 using 1:2:3:4 with yerrorbars notitle lc rgb '#0072B2' pt 7, $series0 using 1:2 with linespoints title "fork" lc rgb '#0072B2' dt 1 lw 2 pt 7 ps 1.1, \
  $series1 using 1:2:3:4 with yerrorbars notitle lc rgb '#D55E00' pt 5, $series1 using 1:2 with linespoints title "pgbouncer+fork" lc rgb '#D55E00' dt 2 lw 2 pt 5 ps 1.1, \
  $series2 using 1:2:3:4 with yerrorbars notitle lc rgb '#009E73' pt 9, $series2 using 1:2 with linespoints title "pgbouncer+postgres" lc rgb '#009E73' dt 4 lw 2 pt 9 ps 1.1, \
  $series3 using 1:2:3:4 with yerrorbars notitle lc rgb '#CC79A7' pt 13, $series3 using 1:2 with linespoints title "postgres" lc rgb '#CC79A7' dt 5 lw 2 pt 13 ps 1.1, \
  $series4 using 1:2:3:4 with yerrorbars notitle lc rgb '#56B4E9' pt 11, $series4 using 1:2 with linespoints title "thread" lc rgb '#56B4E9' dt 3 lw 2 pt 11 ps 1.1, \
  $series5 using 1:2:3:4 with yerrorbars notitle lc rgb '#E69F00' pt 4, $series5 using 1:2 with linespoints title "thread-pool" lc rgb '#E69F00' dt 2 lw 2 pt 4 ps 1.1
