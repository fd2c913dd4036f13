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
0 0 1.8225 1.8225 1.8585 1.8585 1.8585 1.8585 6.1645 6.1645 6.1645
2 0 71.17 71.17 155.17000000000002 155.17000000000002 171.17000000000002 171.17000000000002 211.26800000000003 211.26800000000003 211.26800000000003
4 0 1232.722 1232.722 1328.998 1328.998 1344.998 1344.998 1385.612 1385.612 1385.612
6 0 12.1 12.1 12.184 12.184 12.184 12.184 16.674 16.674 16.674
8 0 21.466 21.466 23.564 23.564 39.564 39.564 49.596000000000004 49.596000000000004 49.596000000000004
10 0 2.2765 2.2765 2.2765 2.2765 2.2765 2.2765 7.0945 7.0945 7.0945
12 0 1.718 1.718 1.718 1.718 1.718 1.718 6.018 6.018 6.018
14 0 27.7955 27.7955 43.7715 43.7715 43.7715 43.7715 48.9335 48.9335 48.9335
16 0 2.104 2.104 2.11 2.11 2.11 2.11 6.885999999999999 6.885999999999999 6.885999999999999
18 0 6.262 6.262 6.294 6.294 6.294 6.294 10.228 10.228 10.228
20 0 20.358 20.358 22.458000000000002 22.458000000000002 38.458 38.458 48.598 48.598 48.598
22 0 20.332 20.332 22.434 22.434 38.410000000000004 38.410000000000004 48.71000000000001 48.71000000000001 48.71000000000001
24 0 2.366 2.366 2.366 2.366 2.366 2.366 6.676 6.676 6.676
EOD
$intervals << EOD
0 6.1645 4.784292 7.560708
2 211.26800000000003 201.309874 221.305309
4 1385.612 1375.331662 1392.631338
6 16.674 15.938941 17.666856
8 49.596000000000004 46.459362 52.546956
10 7.0945 5.564421 8.464971
12 6.018 4.870364 6.974809
14 48.9335 41.742509 49.335491
16 6.885999999999999 5.539461 8.272592
18 10.228 0.991138 12.499932
20 48.598 45.916863 51.247137
22 48.71000000000001 45.609383 51.105156
24 6.676 4.46103 8.966796
EOD
set ytics ("fdpass" 0, "fork" 2, "fork-exec" 4, "hybrid" 6, "poco" 8, "pool-tx" 10, "pool-tx-thread" 12, "prefork" 14, "reactor" 16, "reactor-uring" 18, "thread" 20, "thread-cached" 22, "thread-pool" 24) scale 0
set yrange [24.8:-0.8]
plot $bars using ($2+($3-$2)/2):1:2:3:($1-0.4):($1+0.4) with boxxyerror title "private memory" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $bars using ($4+($5-$4)/2):1:4:5:($1-0.4):($1+0.4) with boxxyerror title "page tables" fs pattern 2 border lc rgb '#D55E00' lc rgb '#D55E00', \
  $bars using ($6+($7-$6)/2):1:6:7:($1-0.4):($1+0.4) with boxxyerror title "kernel stacks" fs pattern 1 border lc rgb '#009E73' lc rgb '#009E73', \
  $bars using ($8+($9-$8)/2):1:8:9:($1-0.4):($1+0.4) with boxxyerror title "slab" fs pattern 6 border lc rgb '#CC79A7' lc rgb '#CC79A7', \
  $bars using ($10+($11-$10)/2):1:10:11:($1-0.4):($1+0.4) with boxxyerror title "socket buffers" fs pattern 4 border lc rgb '#56B4E9' lc rgb '#56B4E9', \
  $intervals using 2:1:3:4 with xerrorbars notitle lc rgb 'black' lw 1.5 pt 0
