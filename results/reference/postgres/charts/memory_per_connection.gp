set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/postgres/charts/memory_per_connection.svg"
set title "What the memory of one connection is made of"."\n"."workload idle, slope over connection counts, median of 3 valid repetitions"
set ylabel "kB per connection"
set border 3 lw 1 lc rgb '#444444'
set tics nomirror
set grid y lc rgb '#dddddd' lw 1
set key outside below horizontal samplen 4 spacing 1.2
set style fill pattern border
set format y "%'.10g"
set decimalsign locale "C"
set yrange [0:*]
$bars << EOD
0 0 71.672 71.672 155.672 155.672 171.672 171.672 211.206 211.206 211.206
2 0 0.748 0.748 0.88 0.88 0.904 0.904 5.192 5.192 5.192
4 0 2.5285 2.5285 2.7625 2.7625 2.7865 2.7865 7.0985000000000005 7.0985000000000005 7.0985000000000005
6 0 1050.1695 1050.1695 1210.1795 1210.1795 1226.1795 1226.1795 1314.9775 1314.9775 1314.9775
8 0 20.358 20.358 22.462 22.462 38.462 38.462 48.434000000000005 48.434000000000005 48.434000000000005
10 0 2.366 2.366 2.366 2.366 2.366 2.366 7.045999999999999 7.045999999999999 7.045999999999999
EOD
$intervals << EOD
0 211.206 203.160727 222.278273
2 5.192 4.469085 5.978367
4 7.0985000000000005 2.007476 12.197094
6 1314.9775 1303.306708 1324.998868
8 48.434000000000005 46.032646 51.184691
10 7.045999999999999 5.273102 8.818898
EOD
set label "fork" at 0, graph -0.12 center
set label "pgbouncer+fork" at 2, graph -0.12 center
set label "pgbouncer+postgres" at 4, graph -0.12 center
set label "postgres" at 6, graph -0.12 center
set label "thread" at 8, graph -0.12 center
set label "thread-pool" at 10, graph -0.12 center
set bmargin 7
set xtics ("" 0, "" 2, "" 4, "" 6, "" 8, "" 10) scale 0
set xrange [-0.8:10.8]
plot $bars using 1:($2+($3-$2)/2):($1-0.4):($1+0.4):2:3 with boxxyerror title "private memory" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $bars using 1:($4+($5-$4)/2):($1-0.4):($1+0.4):4:5 with boxxyerror title "page tables" fs pattern 2 border lc rgb '#D55E00' lc rgb '#D55E00', \
  $bars using 1:($6+($7-$6)/2):($1-0.4):($1+0.4):6:7 with boxxyerror title "kernel stacks" fs pattern 1 border lc rgb '#009E73' lc rgb '#009E73', \
  $bars using 1:($8+($9-$8)/2):($1-0.4):($1+0.4):8:9 with boxxyerror title "slab" fs pattern 6 border lc rgb '#CC79A7' lc rgb '#CC79A7', \
  $bars using 1:($10+($11-$10)/2):($1-0.4):($1+0.4):10:11 with boxxyerror title "socket buffers" fs pattern 4 border lc rgb '#56B4E9' lc rgb '#56B4E9', \
  $intervals using 1:2:3:4 with yerrorbars notitle lc rgb 'black' lw 1.5 pt 0
