set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/latency_p99.svg"
set title "99th percentile of latency against connections"."\n"."workload steady, medians and range of 4 valid repetitions"
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
8 208.895 175.743 212.991
64 1481.727 1274.879 1634.303
256 9482.239 7204.863 10969.087
EOD
$series1 << EOD
8 199.29500000000002 161.919 212.351
64 1191.423 1061.887 1247.231
256 6739.967000000001 5206.015 7872.511
EOD
$series2 << EOD
8 123.935 118.591 160.639
64 961.279 816.639 1300.479
256 4806.655000000001 4198.399 5287.935
EOD
plot $series0 using 1:2:3:4 with yerrorbars notitle lc rgb '#0072B2' pt 7, $series0 using 1:2 with linespoints title "fork" lc rgb '#0072B2' dt 1 lw 2 pt 7 ps 1.1, \
  $series1 using 1:2:3:4 with yerrorbars notitle lc rgb '#D55E00' pt 5, $series1 using 1:2 with linespoints title "thread" lc rgb '#D55E00' dt 2 lw 2 pt 5 ps 1.1, \
  $series2 using 1:2:3:4 with yerrorbars notitle lc rgb '#009E73' pt 9, $series2 using 1:2 with linespoints title "thread-pool" lc rgb '#009E73' dt 4 lw 2 pt 9 ps 1.1
