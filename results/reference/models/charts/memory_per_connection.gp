set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/models/charts/memory_per_connection.svg"
set title "What the memory of one connection is made of"."\n"."workload idle, slope over connection counts, median of 3 valid repetitions"
set xlabel "kB per connection"
set border 3 lw 1 lc rgb '#444444'
set tics nomirror
set grid x lc rgb '#dddddd' lw 1
set key outside below horizontal samplen 4 spacing 1.2
set style fill pattern border
set format x "%'.10g"
set decimalsign locale "C"
set xrange [0:*]
$bars << EOD
0 0 1.8005 1.8005 1.8185 1.8185 1.8185 1.8185 6.5685 6.5685 6.5685
2 0 74.6075 74.6075 154.60750000000002 154.60750000000002 170.60750000000002 170.60750000000002 210.09150000000002 210.09150000000002 210.09150000000002
4 0 958.7575 958.7575 1045.4695000000002 1045.4695000000002 1061.4695000000002 1061.4695000000002 1093.5335000000002 1093.5335000000002 1093.5335000000002
6 0 11.904 11.904 12 12 12 12 16.546 16.546 16.546
8 0 21.452 21.452 23.548000000000002 23.548000000000002 39.548 39.548 49.828 49.828 49.828
10 0 2.274 2.274 2.284 2.284 2.284 2.284 6.694 6.694 6.694
12 0 1.718 1.718 1.718 1.718 1.718 1.718 6.096 6.096 6.096
14 0 27.7955 27.7955 43.7715 43.7715 43.7715 43.7715 48.4495 48.4495 48.4495
16 0 2.07 2.07 2.0759999999999996 2.0759999999999996 2.0759999999999996 2.0759999999999996 6.877999999999999 6.877999999999999 6.877999999999999
18 0 6.226 6.226 6.258 6.258 6.258 6.258 10.674 10.674 10.674
20 0 20.354 20.354 22.46 22.46 38.46 38.46 48.552 48.552 48.552
22 0 20.326 20.326 22.438000000000002 22.438000000000002 38.414 38.414 48.86 48.86 48.86
24 0 2.324 2.324 2.324 2.324 2.324 2.324 6.624 6.624 6.624
EOD
$intervals << EOD
0 6.5685 5.127536 8.30614
2 210.09150000000002 199.40269 217.839669
4 1093.5335000000002 1085.532424 1101.34567
6 16.546 15.538421 17.529579
8 49.828 47.16543 52.849286
10 6.694 5.406074 8.507429
12 6.096 4.797728 7.379426
14 48.4495 38.127607 47.730649
16 6.877999999999999 5.488341 8.287659
18 10.674 8.867139 13.030822
20 48.552 45.764562 51.341773
22 48.86 45.981009 51.750991
24 6.624 4.452386 8.830039
EOD
set ytics ("fdpass" 0, "fork" 2, "fork-exec" 4, "hybrid" 6, "poco" 8, "pool-tx" 10, "pool-tx-thread" 12, "prefork" 14, "reactor" 16, "reactor-uring" 18, "thread" 20, "thread-cached" 22, "thread-pool" 24) scale 0
set yrange [24.8:-0.8]
plot $bars using ($2+($3-$2)/2):1:2:3:($1-0.4):($1+0.4) with boxxyerror title "private memory" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $bars using ($4+($5-$4)/2):1:4:5:($1-0.4):($1+0.4) with boxxyerror title "page tables" fs pattern 2 border lc rgb '#D55E00' lc rgb '#D55E00', \
  $bars using ($6+($7-$6)/2):1:6:7:($1-0.4):($1+0.4) with boxxyerror title "kernel stacks" fs pattern 1 border lc rgb '#009E73' lc rgb '#009E73', \
  $bars using ($8+($9-$8)/2):1:8:9:($1-0.4):($1+0.4) with boxxyerror title "slab" fs pattern 6 border lc rgb '#CC79A7' lc rgb '#CC79A7', \
  $bars using ($10+($11-$10)/2):1:10:11:($1-0.4):($1+0.4) with boxxyerror title "socket buffers" fs pattern 4 border lc rgb '#56B4E9' lc rgb '#56B4E9', \
  $intervals using 2:1:3:4 with xerrorbars notitle lc rgb 'black' lw 1.5 pt 0
