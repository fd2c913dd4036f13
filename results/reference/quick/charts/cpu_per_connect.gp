set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/cpu_per_connect.svg"
set title "CPU time that the server spends on one connection"."\n"."workload churn, 8 connections at a time, median and range of 4 valid repetitions"
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
0 0 668.7242635
1 0 162.655843
2 0 84.937543
EOD
$intervals << EOD
0 668.7242635 649.032785 760.688407
1 162.655843 146.784377 171.64718
2 84.937543 82.034946 89.027542
EOD
set xtics ("fork" 0, "thread" 1, "thread-pool" 2) scale 0
set xrange [-0.8:2.8]
plot $bars using 1:($2+($3-$2)/2):($1-0.4):($1+0.4):2:3 with boxxyerror title "user and system CPU" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $intervals using 1:2:3:4 with yerrorbars notitle lc rgb 'black' lw 1.5 pt 0
