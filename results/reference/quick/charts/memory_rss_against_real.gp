set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/memory_rss_against_real.svg"
set title "Memory of one connection: what RSS says and what it really takes"."\n"."workload idle, slope over connection counts, median of 4 repetitions"
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
0 1 3969.768 3969.768 3969.768
1 1 1 1 166.12675000000002
3 1 21.05 21.05 21.05
4 1 1 1 38.899
6 1 3.303 3.303 3.303
7 1 1 1 3.058
EOD
$intervals << EOD
EOD
set label 1 "fork" at 0.5, graph -0.12 center
set label 2 "thread" at 3.5, graph -0.12 center
set label 3 "thread-pool" at 6.5, graph -0.12 center
set bmargin 7
set xtics ("3970 kB" 0, "166 kB" 1, "21 kB" 3, "39 kB" 4, "3 kB" 6, "3 kB" 7) scale 0
set xrange [-0.8:7.8]
plot $bars using 1:($2+($3-$2)/2):($1-0.4):($1+0.4):2:3 with boxxyerror title "RSS" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $bars using 1:($4+($5-$4)/2):($1-0.4):($1+0.4):4:5 with boxxyerror title "really: private memory, page tables, kernel stacks" fs pattern 2 border lc rgb '#D55E00' lc rgb '#D55E00'
