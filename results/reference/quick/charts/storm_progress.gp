set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/storm_progress.svg"
set title "Progress of a connection storm"."\n"."workload storm, 500 connections released at once, median of 4 repetitions"
set xlabel "time since release (ms)"
set ylabel "connections served"
set border 3 lw 1 lc rgb '#444444'
set tics nomirror
set grid y lc rgb '#dddddd' lw 1
set key outside below horizontal samplen 4 spacing 1.2
set style fill pattern border
set format y "%'.10g"
set decimalsign locale "C"
set yrange [0:*]
$series0 << EOD
0 0 0 0
100 180.5 180.5 180.5
200 360 360 360
300 500 500 500
EOD
$series1 << EOD
0 0 0 0
100 458 458 458
200 500 500 500
300 500 500 500
EOD
$series2 << EOD
0 0 0 0
100 500 500 500
200 500 500 500
300 500 500 500
EOD
plot $series0 using 1:2 with linespoints title "fork" lc rgb '#0072B2' dt 1 lw 2 pt 7 ps 1.1, \
  $series1 using 1:2 with linespoints title "thread" lc rgb '#D55E00' dt 2 lw 2 pt 5 ps 1.1, \
  $series2 using 1:2 with linespoints title "thread-pool" lc rgb '#009E73' dt 4 lw 2 pt 9 ps 1.1
