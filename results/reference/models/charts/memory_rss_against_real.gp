set terminal svg size 960,834 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/models/charts/memory_rss_against_real.svg"
set title "Memory of one connection: what RSS says and what it really takes"."\n"."workload idle, slope over connection counts, median of 3 valid repetitions"
set xlabel "kB per connection"
set border 3 lw 1 lc rgb '#444444'
set tics nomirror
set grid x lc rgb '#dddddd' lw 1
set key outside below horizontal samplen 4 spacing 1.2
set style fill pattern border
set format x "%'.10g"
set decimalsign locale "C"
set logscale x
set xrange [1:*]
$bars << EOD
0 1 5.548 5.548 5.548
1 1 1 1 6.5685
3 1 3165.2 3165.2 3165.2
4 1 1 1 210.09150000000002
6 1 6966.592 6966.592 6966.592
7 1 1 1 1093.5335000000002
9 1 14.026 14.026 14.026
10 1 1 1 16.546
12 1 21.684 21.684 21.684
13 1 1 1 49.828
15 1 1.786 1.786 1.786
16 1 1 1 6.694
18 1 1.776 1.776 1.776
19 1 1 1 6.096
21 1 944.152 944.152 944.152
22 1 1 1 48.4495
24 1 2.336 2.336 2.336
25 1 1 1 6.877999999999999
27 1 6.608 6.608 6.608
28 1 1 1 10.674
30 1 20.598 20.598 20.598
31 1 1 1 48.552
33 1 20.57 20.57 20.57
34 1 1 1 48.86
36 1 2.58 2.58 2.58
37 1 1 1 6.624
EOD
$intervals << EOD
EOD
set ytics ("fdpass  6 kB" 0, "fdpass  7 kB" 1, "fork  3165 kB" 3, "fork  210 kB" 4, "fork-exec  6967 kB" 6, "fork-exec  1094 kB" 7, "hybrid  14 kB" 9, "hybrid  17 kB" 10, "poco  22 kB" 12, "poco  50 kB" 13, "pool-tx  2 kB" 15, "pool-tx  7 kB" 16, "pool-tx-thread  2 kB" 18, "pool-tx-thread  6 kB" 19, "prefork  944 kB" 21, "prefork  48 kB" 22, "reactor  2 kB" 24, "reactor  7 kB" 25, "reactor-uring  7 kB" 27, "reactor-uring  11 kB" 28, "thread  21 kB" 30, "thread  49 kB" 31, "thread-cached  21 kB" 33, "thread-cached  49 kB" 34, "thread-pool  3 kB" 36, "thread-pool  7 kB" 37) scale 0
set yrange [37.8:-0.8]
plot $bars using ($2+($3-$2)/2):1:2:3:($1-0.4):($1+0.4) with boxxyerror title "RSS" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $bars using ($4+($5-$4)/2):1:4:5:($1-0.4):($1+0.4) with boxxyerror title "really: private memory, page tables, kernel stacks, slab, sockets" fs pattern 2 border lc rgb '#D55E00' lc rgb '#D55E00'
