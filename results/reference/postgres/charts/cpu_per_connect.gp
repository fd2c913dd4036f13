set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/postgres/charts/cpu_per_connect.svg"
set title "CPU time that the server spends on one connection"."\n"."workload churn, 8 connections at a time, median and range of 3 valid repetitions"
set ylabel "CPU per connection (us)"
set border 3 lw 1 lc rgb '#444444'
set tics nomirror
set grid y lc rgb '#dddddd' lw 1
set key outside below horizontal samplen 4 spacing 1.2
set style fill pattern border
set format y "%'.10g"
set decimalsign locale "C"
set yrange [0:*]
$bars << EOD
0 0 726.114945
1 0 101.095696
2 0 138.794026
3 0 4021.833817
4 0 150.458226
5 0 81.803175
EOD
$intervals << EOD
0 726.114945 674.591991 745.766998
1 101.095696 97.762148 105.34607
2 138.794026 118.479877 138.884977
3 4021.833817 3605.365818 4279.902081
4 150.458226 147.810955 154.133049
5 81.803175 77.26539 106.615958
EOD
set xtics ("fork" 0, "pgbouncer+fork" 1, "pgbouncer+postgres" 2, "postgres" 3, "thread" 4, "thread-pool" 5) scale 0
set xrange [-0.8:5.8]
plot $bars using 1:($2+($3-$2)/2):($1-0.4):($1+0.4):2:3 with boxxyerror title "user and system CPU" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $intervals using 1:2:3:4 with yerrorbars notitle lc rgb 'black' lw 1.5 pt 0
