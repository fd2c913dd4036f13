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
8 365.567 352.767 404.479
64 2961.407 2934.783 3430.399
256 20119.551 17694.719 25051.135
EOD
$series1 << EOD
8 550.399 460.543 612.863
64 3907.583 3344.383 3960.831
256 14925.823 10485.759 15237.119
EOD
$series2 << EOD
8 793.087 684.031 895.487
64 5468.159 5451.775 5791.743
256 17399.807 16957.439 21626.879
EOD
$series3 << EOD
8 536.575 492.543 573.439
64 6008.831 5885.951 6131.711
256 28442.623 28098.559 30392.319
EOD
$series4 << EOD
8 299.263 257.535 311.295
64 3110.911 3084.287 3375.103
256 13320.191 11993.087 16195.583
EOD
$series5 << EOD
8 445.695 400.127 473.599
64 2981.887 2578.431 3442.687
256 10305.535 9846.783 10338.303
EOD
plot $series0 using 1:2:3:4 with yerrorbars notitle lc rgb '#0072B2' pt 7, $series0 using 1:2 with linespoints title "fork" lc rgb '#0072B2' dt 1 lw 2 pt 7 ps 1.1, \
  $series1 using 1:2:3:4 with yerrorbars notitle lc rgb '#D55E00' pt 5, $series1 using 1:2 with linespoints title "pgbouncer+fork" lc rgb '#D55E00' dt 2 lw 2 pt 5 ps 1.1, \
  $series2 using 1:2:3:4 with yerrorbars notitle lc rgb '#009E73' pt 9, $series2 using 1:2 with linespoints title "pgbouncer+postgres" lc rgb '#009E73' dt 4 lw 2 pt 9 ps 1.1, \
  $series3 using 1:2:3:4 with yerrorbars notitle lc rgb '#CC79A7' pt 13, $series3 using 1:2 with linespoints title "postgres" lc rgb '#CC79A7' dt 5 lw 2 pt 13 ps 1.1, \
  $series4 using 1:2:3:4 with yerrorbars notitle lc rgb '#56B4E9' pt 11, $series4 using 1:2 with linespoints title "thread" lc rgb '#56B4E9' dt 3 lw 2 pt 11 ps 1.1, \
  $series5 using 1:2:3:4 with yerrorbars notitle lc rgb '#E69F00' pt 4, $series5 using 1:2 with linespoints title "thread-pool" lc rgb '#E69F00' dt 2 lw 2 pt 4 ps 1.1
