set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/memory_rss_against_real.svg"
set title "Memory of one connection: what RSS says and what it really takes"."\n"."workload idle, slope over connection counts, median of 4 valid repetitions"
set ylabel "kB per connection"
set border 3 lw 1 lc rgb '#444444'
set tics nomirror
set grid y lc rgb '#dddddd' lw 1
set key outside below horizontal samplen 4 spacing 1.2
set style fill pattern border
set format y "%'.10g"
set decimalsign locale "C"
set logscale y
set yrange [1:*]
$bars << EOD
0 1 3235.8630000000003 3235.8630000000003 3235.8630000000003
1 1 1 1 213.83724999999998
3 1 20.598 20.598 20.598
4 1 1 1 48.724
6 1 2.581 2.581 2.581
7 1 1 1 6.756
EOD
$intervals << EOD
EOD
set label "fork" at 0.5, graph -0.12 center
set label "thread" at 3.5, graph -0.12 center
set label "thread-pool" at 6.5, graph -0.12 center
set bmargin 7
set xtics ("3236 kB" 0, "214 kB" 1, "21 kB" 3, "49 kB" 4, "3 kB" 6, "7 kB" 7) scale 0
set xrange [-0.8:7.8]
plot $bars using 1:($2+($3-$2)/2):($1-0.4):($1+0.4):2:3 with boxxyerror title "RSS" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $bars using 1:($4+($5-$4)/2):($1-0.4):($1+0.4):4:5 with boxxyerror title "really: private memory, page tables, kernel stacks, slab, sockets" fs pattern 2 border lc rgb '#D55E00' lc rgb '#D55E00'
