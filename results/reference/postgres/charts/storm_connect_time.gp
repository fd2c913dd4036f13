set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/postgres/charts/storm_connect_time.svg"
set title "What a connect costs its client when all arrive at once"."\n"."workload storm, 500 connections, means by phase, median of 3 valid repetitions"
set ylabel "time from connect() to first row (us)"
set border 3 lw 1 lc rgb '#444444'
set tics nomirror
set grid y lc rgb '#dddddd' lw 1
set key outside below horizontal samplen 4 spacing 1.2
set style fill pattern border
set format y "%'.10g"
set decimalsign locale "C"
set yrange [0:*]
$bars << EOD
0 0 15.816878 15.816878 21.96239 21.96239 72874.429456 72874.429456 72874.45445 72874.45445 74736.33522800001
1 0 13.204514 13.204514 22.447761999999997 22.447761999999997 9454.794711999999 9454.794711999999 9454.818586 9454.818586 52440.87483
2 0 13.029266 13.029266 22.330546 22.330546 26155.435644 26155.435644 26155.459972 26155.459972 65273.03307800001
3 0 15.77067 15.77067 22.075686 22.075686 324533.885172 324533.885172 324533.913612 324533.913612 327349.756422
4 0 15.715464 15.715464 21.945744 21.945744 27657.766954 27657.766954 27657.791336 27657.791336 30109.012948
5 0 15.524316 15.524316 21.787132 21.787132 10645.061694 10645.061694 10645.08558 10645.08558 16864.284024
EOD
$intervals << EOD
EOD
set xtics ("fork" 0, "pgbouncer+fork" 1, "pgbouncer+postgres" 2, "postgres" 3, "thread" 4, "thread-pool" 5) scale 0
set xrange [-0.8:5.8]
plot $bars using 1:($2+($3-$2)/2):($1-0.4):($1+0.4):2:3 with boxxyerror title "connect" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $bars using 1:($4+($5-$4)/2):($1-0.4):($1+0.4):4:5 with boxxyerror title "send_startup" fs pattern 2 border lc rgb '#D55E00' lc rgb '#D55E00', \
  $bars using 1:($6+($7-$6)/2):($1-0.4):($1+0.4):6:7 with boxxyerror title "authentication" fs pattern 1 border lc rgb '#009E73' lc rgb '#009E73', \
  $bars using 1:($8+($9-$8)/2):($1-0.4):($1+0.4):8:9 with boxxyerror title "session" fs pattern 6 border lc rgb '#CC79A7' lc rgb '#CC79A7', \
  $bars using 1:($10+($11-$10)/2):($1-0.4):($1+0.4):10:11 with boxxyerror title "first_row" fs pattern 4 border lc rgb '#56B4E9' lc rgb '#56B4E9'
