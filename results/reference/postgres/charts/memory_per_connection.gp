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
0 0 73.683 73.683 157.683 157.683 173.683 173.683 212.46499999999997 212.46499999999997 212.46499999999997
2 0 0.748 0.748 0.874 0.874 0.898 0.898 5.683999999999999 5.683999999999999 5.683999999999999
4 0 2.5285 2.5285 2.7625 2.7625 2.7865 2.7865 7.5665000000000004 7.5665000000000004 7.5665000000000004
6 0 1050.166 1050.166 1206.172 1206.172 1222.172 1222.172 1311.254 1311.254 1311.254
8 0 20.354 20.354 22.458 22.458 38.458 38.458 49.013999999999996 49.013999999999996 49.013999999999996
10 0 2.314 2.314 2.314 2.314 2.314 2.314 6.614 6.614 6.614
EOD
$intervals << EOD
0 212.46499999999997 204.166173 219.091827
2 5.683999999999999 4.641523 5.906477
4 7.5665000000000004 2.671544 12.314268
6 1311.254 1305.50294 1323.869577
8 49.013999999999996 46.75549 51.437255
10 6.614 4.417961 8.830039
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
