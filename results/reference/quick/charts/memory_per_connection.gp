set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/memory_per_connection.svg"
set title "What the memory of one connection is made of"."\n"."workload idle, slope over connection counts, median of 4 valid repetitions"
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
0 0 71.83925 71.83925 157.83925 157.83925 173.83925 173.83925 213.83724999999998 213.83724999999998 213.83724999999998
2 0 20.354 20.354 22.451999999999998 22.451999999999998 38.452 38.452 48.724 48.724 48.724
4 0 2.325 2.325 2.325 2.325 2.325 2.325 6.756 6.756 6.756
EOD
$intervals << EOD
0 213.83724999999998 203.564979 221.455521
2 48.724 45.942976 50.680306
4 6.756 4.504725 9.007275
EOD
set label "fork" at 0, graph -0.12 center
set label "thread" at 2, graph -0.12 center
set label "thread-pool" at 4, graph -0.12 center
set bmargin 7
set xtics ("" 0, "" 2, "" 4) scale 0
set xrange [-0.8:4.8]
plot $bars using 1:($2+($3-$2)/2):($1-0.4):($1+0.4):2:3 with boxxyerror title "private memory" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $bars using 1:($4+($5-$4)/2):($1-0.4):($1+0.4):4:5 with boxxyerror title "page tables" fs pattern 2 border lc rgb '#D55E00' lc rgb '#D55E00', \
  $bars using 1:($6+($7-$6)/2):($1-0.4):($1+0.4):6:7 with boxxyerror title "kernel stacks" fs pattern 1 border lc rgb '#009E73' lc rgb '#009E73', \
  $bars using 1:($8+($9-$8)/2):($1-0.4):($1+0.4):8:9 with boxxyerror title "slab" fs pattern 6 border lc rgb '#CC79A7' lc rgb '#CC79A7', \
  $bars using 1:($10+($11-$10)/2):($1-0.4):($1+0.4):10:11 with boxxyerror title "socket buffers" fs pattern 4 border lc rgb '#56B4E9' lc rgb '#56B4E9', \
  $intervals using 1:2:3:4 with yerrorbars notitle lc rgb 'black' lw 1.5 pt 0
