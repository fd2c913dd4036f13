set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/latency_p99.svg"
set title "99th percentile of latency against connections"."\n"."workload steady, medians and range of 4 repetitions"
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
8 327.935 253.951 446.463
64 2185.215 1796.095 2705.407
256 9646.079000000002 8986.623 10731.519
EOD
$series1 << EOD
8 287.615 270.079 346.367
64 1929.7269999999999 1434.623 3901.439
256 10633.215 8888.319 11575.295
EOD
$series2 << EOD
8 219.647 195.583 589.311
64 1684.991 1426.431 1992.703
256 7073.791 5271.551 11288.575
EOD
plot $series0 using 1:2:3:4 with yerrorbars notitle lc rgb '#0072B2' pt 7, $series0 using 1:2 with linespoints title "fork" lc rgb '#0072B2' dt 1 lw 2 pt 7 ps 1.1, \
  $series1 using 1:2:3:4 with yerrorbars notitle lc rgb '#D55E00' pt 5, $series1 using 1:2 with linespoints title "thread" lc rgb '#D55E00' dt 2 lw 2 pt 5 ps 1.1, \
  $series2 using 1:2:3:4 with yerrorbars notitle lc rgb '#009E73' pt 9, $series2 using 1:2 with linespoints title "thread-pool" lc rgb '#009E73' dt 4 lw 2 pt 9 ps 1.1
