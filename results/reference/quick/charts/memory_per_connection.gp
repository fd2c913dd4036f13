set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/memory_per_connection.svg"
set title "What the memory of one connection is made of"."\n"."workload idle, slope over connection counts, median of 4 repetitions"
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
0 0 70.12675 70.12675 150.12675000000002 150.12675000000002 166.12675000000002
1 0 20.8 20.8 22.899 22.899 38.899
2 0 3.058 3.058 3.058 3.058 3.058
EOD
$intervals << EOD
EOD
set xtics ("fork" 0, "thread" 1, "thread-pool" 2) scale 0
set xrange [-0.8:2.8]
plot $bars using 1:($2+($3-$2)/2):($1-0.4):($1+0.4):2:3 with boxxyerror title "private memory" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $bars using 1:($4+($5-$4)/2):($1-0.4):($1+0.4):4:5 with boxxyerror title "page tables" fs pattern 2 border lc rgb '#D55E00' lc rgb '#D55E00', \
  $bars using 1:($6+($7-$6)/2):($1-0.4):($1+0.4):6:7 with boxxyerror title "kernel stacks" fs pattern 1 border lc rgb '#009E73' lc rgb '#009E73'
