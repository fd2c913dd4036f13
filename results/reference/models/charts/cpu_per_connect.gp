set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/models/charts/cpu_per_connect.svg"
set title "CPU time that the server spends on one connection"."\n"."workload churn, 8 connections at a time, median and range of 3 valid repetitions"
set xlabel "CPU per connection (us)"
set border 3 lw 1 lc rgb '#444444'
set tics nomirror
set grid x lc rgb '#dddddd' lw 1
set key outside below horizontal samplen 4 spacing 1.2
set style fill pattern border
set format x "%'.10g"
set decimalsign locale "C"
set xrange [0:*]
$bars << EOD
0 0 102.760029
1 0 736.892659
2 0 3303.889789
3 0 98.732588
4 0 120.116858
5 0 102.097235
6 0 103.885088
7 0 98.135494
8 0 85.181784
9 0 80.02984
10 0 148.851287
11 0 97.318395
12 0 82.101158
EOD
$intervals << EOD
0 102.760029 100.875551 104.253286
1 736.892659 728.582364 889.317841
2 3303.889789 2971.838918 3908.92447
3 98.732588 97.635834 103.263746
4 120.116858 110.761863 129.962702
5 102.097235 101.004518 105.497368
6 103.885088 103.468491 107.78503
7 98.135494 97.33977 108.317353
8 85.181784 81.014286 93.750531
9 80.02984 78.194856 85.943514
10 148.851287 144.269874 161.281376
11 97.318395 95.045484 101.282032
12 82.101158 80.424771 82.397721
EOD
set ytics ("fdpass" 0, "fork" 1, "fork-exec" 2, "hybrid" 3, "poco" 4, "pool-tx" 5, "pool-tx-thread" 6, "prefork" 7, "reactor" 8, "reactor-uring" 9, "thread" 10, "thread-cached" 11, "thread-pool" 12) scale 0
set yrange [12.8:-0.8]
plot $bars using ($2+($3-$2)/2):1:2:3:($1-0.4):($1+0.4) with boxxyerror title "user and system CPU" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $intervals using 2:1:3:4 with xerrorbars notitle lc rgb 'black' lw 1.5 pt 0
