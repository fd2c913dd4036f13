set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/connection_cost.svg"
set title "Where a connect spends its time"."\n"."workload churn, 8 connections, means by phase, median of 4 repetitions"
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
0 0 36.984863000000004 36.984863000000004 1490.8317089999998 1490.8317089999998 1491.0900574999998 1491.0900574999998 2428.2030465 2428.2030465 2519.059761 2519.059761 2522.040439 2522.040439 2601.1186895 2601.1186895 3160.7829755000002 3160.7829755000002 5432.355476000001
1 0 40.089464 40.089464 204.9064015 204.9064015 205.65758849999997 205.65758849999997 372.35822199999996 372.35822199999996 396.95427099999995 396.95427099999995 397.12033349999996 397.12033349999996 408.68243299999995 408.68243299999995 736.151038 736.151038 1493.5352845
2 0 37.499781999999996 37.499781999999996 187.51696950000002 187.51696950000002 189.229439 189.229439 347.7263295 347.7263295 351.1910995 351.1910995 351.3103815 351.3103815 361.222802 361.222802 564.6937845 564.6937845 1054.8948955
EOD
$intervals << EOD
EOD
set xtics ("fork" 0, "thread" 1, "thread-pool" 2) scale 0
set xrange [-0.8:2.8]
plot $bars using 1:($2+($3-$2)/2):($1-0.4):($1+0.4):2:3 with boxxyerror title "handshake" fs pattern 3 border lc rgb '#0072B2' lc rgb '#0072B2', \
  $bars using 1:($4+($5-$4)/2):($1-0.4):($1+0.4):4:5 with boxxyerror title "accept_queue" fs pattern 2 border lc rgb '#D55E00' lc rgb '#D55E00', \
  $bars using 1:($6+($7-$6)/2):($1-0.4):($1+0.4):6:7 with boxxyerror title "dispatch" fs pattern 1 border lc rgb '#009E73' lc rgb '#009E73', \
  $bars using 1:($8+($9-$8)/2):($1-0.4):($1+0.4):8:9 with boxxyerror title "start" fs pattern 6 border lc rgb '#CC79A7' lc rgb '#CC79A7', \
  $bars using 1:($10+($11-$10)/2):($1-0.4):($1+0.4):10:11 with boxxyerror title "startup_packet" fs pattern 4 border lc rgb '#56B4E9' lc rgb '#56B4E9', \
  $bars using 1:($12+($13-$12)/2):($1-0.4):($1+0.4):12:13 with boxxyerror title "authentication" fs pattern 5 border lc rgb '#E69F00' lc rgb '#E69F00', \
  $bars using 1:($14+($15-$14)/2):($1-0.4):($1+0.4):14:15 with boxxyerror title "session" fs pattern 7 border lc rgb '#000000' lc rgb '#000000', \
  $bars using 1:($16+($17-$16)/2):($1-0.4):($1+0.4):16:17 with boxxyerror title "reply" fs pattern 0 border lc rgb '#999999' lc rgb '#999999', \
  $bars using 1:($18+($19-$18)/2):($1-0.4):($1+0.4):18:19 with boxxyerror title "first_row" fs pattern 3 border lc rgb '#7A5195' lc rgb '#7A5195'
