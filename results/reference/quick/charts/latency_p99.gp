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
8 202.047 166.655 204.799
64 1274.879 1243.135 1546.239
256 10760.190999999999 8790.015 12206.079
EOD
$series1 << EOD
8 189.119 166.399 201.727
64 1289.2150000000001 1062.911 1687.551
256 8417.279 5607.423 16375.807
EOD
$series2 << EOD
8 163.90300000000002 141.567 202.367
64 1088.511 770.559 1119.231
256 5037.055 4075.519 6266.879
EOD
plot $series0 using 1:2:3:4 with yerrorbars notitle lc rgb '#0072B2' pt 7, $series0 using 1:2 with linespoints title "fork" lc rgb '#0072B2' dt 1 lw 2 pt 7 ps 1.1, \
  $series1 using 1:2:3:4 with yerrorbars notitle lc rgb '#D55E00' pt 5, $series1 using 1:2 with linespoints title "thread" lc rgb '#D55E00' dt 2 lw 2 pt 5 ps 1.1, \
  $series2 using 1:2:3:4 with yerrorbars notitle lc rgb '#009E73' pt 9, $series2 using 1:2 with linespoints title "thread-pool" lc rgb '#009E73' dt 4 lw 2 pt 9 ps 1.1
