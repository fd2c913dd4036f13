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
0 0 98.907037
1 0 653.907863
2 0 5489.403573
3 0 105.918599
4 0 123.014843
5 0 104.53034
6 0 103.736797
7 0 103.145737
8 0 82.089148
9 0 83.081643
10 0 166.195903
11 0 102.508292
12 0 81.442661
EOD
$intervals << EOD
0 98.907037 98.727159 106.18204
1 653.907863 632.408868 662.330513
2 5489.403573 5453.504332 7048.600099
3 105.918599 105.436213 107.120576
4 123.014843 115.696621 151.13991
5 104.53034 103.27326 106.320591
6 103.736797 103.379154 120.358403
7 103.145737 102.618691 111.6953
8 82.089148 79.421093 85.060188
9 83.081643 81.552524 84.699425
10 166.195903 153.963634 181.104588
11 102.508292 101.17227 110.188734
12 81.442661 80.614227 90.584005
EOD
set ytics ("fdpass" 0, "fork" 1, "fork-exec" 2, "hybrid" 3, "poco" 4, "pool-tx" 5, "pool-tx-thread" 6, "prefork" 7, "reactor" 8, "reactor-uring" 9, "thread" 10, "thread-cached" 11, "thread-pool" 12) scale 0
set yrange [12.8:-0.8]
plot $bars using ($2+($3-$2)/2):1:2:3:($1-0.4):($1+0.4) with boxxyerror title "user and system CPU" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $intervals using 2:1:3:4 with xerrorbars notitle lc rgb 'black' lw 1.5 pt 0
