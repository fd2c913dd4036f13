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
8 42593 41705 50134
64 40689 39831 41890
256 27125 25804 27507
EOD
$series1 << EOD
8 28997 28184 29489
64 26725 26702 28319
256 25930 25730 31033
EOD
$series2 << EOD
8 20992 18471 25663
64 19928 19439 20138
256 19874 19445 22708
EOD
$series3 << EOD
8 33000 32651 36391
64 21650 20133 24230
256 16757 16218 17206
EOD
$series4 << EOD
8 44725 43699 47862
64 40155 36267 41223
256 37477 31032 38600
EOD
$series5 << EOD
8 35251 35012 37216
64 43225 37671 46840
256 44420 44339 45770
EOD
plot $series0 using 1:2:3:4 with yerrorbars notitle lc rgb '#0072B2' pt 7, $series0 using 1:2 with linespoints title "fork" lc rgb '#0072B2' dt 1 lw 2 pt 7 ps 1.1, \
  $series1 using 1:2:3:4 with yerrorbars notitle lc rgb '#D55E00' pt 5, $series1 using 1:2 with linespoints title "pgbouncer+fork" lc rgb '#D55E00' dt 2 lw 2 pt 5 ps 1.1, \
  $series2 using 1:2:3:4 with yerrorbars notitle lc rgb '#009E73' pt 9, $series2 using 1:2 with linespoints title "pgbouncer+postgres" lc rgb '#009E73' dt 4 lw 2 pt 9 ps 1.1, \
  $series3 using 1:2:3:4 with yerrorbars notitle lc rgb '#CC79A7' pt 13, $series3 using 1:2 with linespoints title "postgres" lc rgb '#CC79A7' dt 5 lw 2 pt 13 ps 1.1, \
  $series4 using 1:2:3:4 with yerrorbars notitle lc rgb '#56B4E9' pt 11, $series4 using 1:2 with linespoints title "thread" lc rgb '#56B4E9' dt 3 lw 2 pt 11 ps 1.1, \
  $series5 using 1:2:3:4 with yerrorbars notitle lc rgb '#E69F00' pt 4, $series5 using 1:2 with linespoints title "thread-pool" lc rgb '#E69F00' dt 2 lw 2 pt 4 ps 1.1
