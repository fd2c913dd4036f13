set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/cpu_per_connect.svg"
set title "CPU time that the server spends on one connection"."\n"."workload churn, 8 connections at a time, median and range of 4 repetitions"
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
0 0 1175.7288899999999
1 0 253.4200155
2 0 143.83803749999998
EOD
$intervals << EOD
0 1175.7288899999999 1139.853676 1252.214446
1 253.4200155 244.007686 275.972256
2 143.83803749999998 131.520853 163.758263
EOD
set xtics ("fork" 0, "thread" 1, "thread-pool" 2) scale 0
set xrange [-0.8:2.8]
plot $bars using 1:($2+($3-$2)/2):($1-0.4):($1+0.4):2:3 with boxxyerror title "user and system CPU" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $intervals using 1:2:3:4 with yerrorbars notitle lc rgb 'black' lw 1.5 pt 0
