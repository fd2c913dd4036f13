set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/throughput.svg"
set title "Throughput against connections"."\n"."workload steady, medians and range of 4 valid repetitions"
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
8 75506 74248 90129
64 88105 74260 92754
256 57526.5 44320 62367
EOD
$series1 << EOD
8 78992.5 74460 95036
64 98622.5 87984 103790
256 63381 58952 74691
EOD
$series2 << EOD
8 121689 90094 124039
64 108421.5 89396 122705
256 99166 82605 104411
EOD
plot $series0 using 1:2:3:4 with yerrorbars notitle lc rgb '#0072B2' pt 7, $series0 using 1:2 with linespoints title "fork" lc rgb '#0072B2' dt 1 lw 2 pt 7 ps 1.1, \
  $series1 using 1:2:3:4 with yerrorbars notitle lc rgb '#D55E00' pt 5, $series1 using 1:2 with linespoints title "thread" lc rgb '#D55E00' dt 2 lw 2 pt 5 ps 1.1, \
  $series2 using 1:2:3:4 with yerrorbars notitle lc rgb '#009E73' pt 9, $series2 using 1:2 with linespoints title "thread-pool" lc rgb '#009E73' dt 4 lw 2 pt 9 ps 1.1
