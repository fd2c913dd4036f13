set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/postgres/charts/memory_rss_against_real.svg"
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
0 1 3201.36 3201.36 3201.36
1 1 1 1 211.206
3 1 5.446 5.446 5.446
4 1 1 1 5.192
6 1 20.65 20.65 20.65
7 1 1 1 7.0985000000000005
9 1 13497.026 13497.026 13497.026
10 1 1 1 1314.9775
12 1 20.602 20.602 20.602
13 1 1 1 48.434000000000005
15 1 2.622 2.622 2.622
16 1 1 1 7.045999999999999
EOD
$intervals << EOD
EOD
set ytics ("fork  3201 kB" 0, "fork  211 kB" 1, "pgbouncer+fork  5 kB" 3, "pgbouncer+fork  5 kB" 4, "pgbouncer+postgres  21 kB" 6, "pgbouncer+postgres  7 kB" 7, "postgres  13497 kB" 9, "postgres  1315 kB" 10, "thread  21 kB" 12, "thread  48 kB" 13, "thread-pool  3 kB" 15, "thread-pool  7 kB" 16) scale 0
set yrange [16.8:-0.8]
plot $bars using ($2+($3-$2)/2):1:2:3:($1-0.4):($1+0.4) with boxxyerror title "RSS" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $bars using ($4+($5-$4)/2):1:4:5:($1-0.4):($1+0.4) with boxxyerror title "really: private memory, page tables, kernel stacks, slab, sockets" fs pattern 2 border lc rgb '#D55E00' lc rgb '#D55E00'
