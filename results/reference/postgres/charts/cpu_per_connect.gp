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
0 0 871.33836
1 0 102.112164
2 0 123.152271
3 0 3816.308284
4 0 148.382059
5 0 90.171817
EOD
$intervals << EOD
0 871.33836 656.555258 955.849885
1 102.112164 101.838595 102.368011
2 123.152271 120.084918 158.352301
3 3816.308284 3811.183572 4871.516904
4 148.382059 146.247547 171.768203
5 90.171817 79.56293 97.466344
EOD
set xtics ("fork" 0, "pgbouncer+fork" 1, "pgbouncer+postgres" 2, "postgres" 3, "thread" 4, "thread-pool" 5) scale 0
set xrange [-0.8:5.8]
plot $bars using 1:($2+($3-$2)/2):($1-0.4):($1+0.4):2:3 with boxxyerror title "user and system CPU" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $intervals using 1:2:3:4 with yerrorbars notitle lc rgb 'black' lw 1.5 pt 0
