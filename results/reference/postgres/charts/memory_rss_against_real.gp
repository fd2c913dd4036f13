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
0 1 3285.57 3285.57 3285.57
1 1 1 1 212.46499999999997
3 1 5.44 5.44 5.44
4 1 1 1 5.683999999999999
6 1 20.716 20.716 20.716
7 1 1 1 7.5665000000000004
9 1 13546.806 13546.806 13546.806
10 1 1 1 1311.254
12 1 20.598 20.598 20.598
13 1 1 1 49.013999999999996
15 1 2.57 2.57 2.57
16 1 1 1 6.614
EOD
$intervals << EOD
EOD
set ytics ("fork  3286 kB" 0, "fork  212 kB" 1, "pgbouncer+fork  5 kB" 3, "pgbouncer+fork  6 kB" 4, "pgbouncer+postgres  21 kB" 6, "pgbouncer+postgres  8 kB" 7, "postgres  13547 kB" 9, "postgres  1311 kB" 10, "thread  21 kB" 12, "thread  49 kB" 13, "thread-pool  3 kB" 15, "thread-pool  7 kB" 16) scale 0
set yrange [16.8:-0.8]
plot $bars using ($2+($3-$2)/2):1:2:3:($1-0.4):($1+0.4) with boxxyerror title "RSS" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $bars using ($4+($5-$4)/2):1:4:5:($1-0.4):($1+0.4) with boxxyerror title "really: private memory, page tables, kernel stacks, slab, sockets" fs pattern 2 border lc rgb '#D55E00' lc rgb '#D55E00'
