set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/pool_times.svg"
set title "Where a session's time goes in a pool"."\n"."workload steady, mean per service, by connections"
set ylabel "time (us)"
set border 3 lw 1 lc rgb '#444444'
set tics nomirror
set grid y lc rgb '#dddddd' lw 1
set key outside below horizontal samplen 4 spacing 1.2
set style fill pattern border
set format y "%'.10g"
set decimalsign locale "C"
set yrange [0:*]
$bars << EOD
0 0 20.686675 20.686675 28.574647000000002 28.574647000000002 28.574647000000002
1 0 274.93041600000004 274.93041600000004 289.66340650000006 289.66340650000006 289.66340650000006
2 0 1687.8455135 1687.8455135 1705.5661275 1705.5661275 1705.5661275
EOD
$intervals << EOD
EOD
set label "thread-pool" at 1, graph -0.12 center
set bmargin 7
set xtics ("8" 0, "64" 1, "256" 2) scale 0
set xrange [-0.8:2.8]
plot $bars using 1:($2+($3-$2)/2):($1-0.4):($1+0.4):2:3 with boxxyerror title "queue wait" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $bars using 1:($4+($5-$4)/2):($1-0.4):($1+0.4):4:5 with boxxyerror title "service" fs pattern 2 border lc rgb '#D55E00' lc rgb '#D55E00', \
  $bars using 1:($6+($7-$6)/2):($1-0.4):($1+0.4):6:7 with boxxyerror title "reset" fs pattern 1 border lc rgb '#009E73' lc rgb '#009E73'
