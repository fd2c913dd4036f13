set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/postgres/charts/connect_time.svg"
set title "What a connect costs its client"."\n"."workload churn, 8 connections, means by phase, median of 3 valid repetitions"
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
0 0 31.305719 31.305719 38.449607 38.449607 2402.965811 2402.965811 2402.991231 2402.991231 3969.716447
1 0 25.203563 25.203563 37.484183 37.484183 225.98655 225.98655 226.010603 226.010603 688.5193919999999
2 0 27.135471 27.135471 40.147199 40.147199 267.716804 267.716804 267.740925 267.740925 837.788808
3 0 54.464381 54.464381 62.898157000000005 62.898157000000005 12058.192088 12058.192088 12058.22284 12058.22284 16254.800968
4 0 27.922276 27.922276 35.026019 35.026019 464.98457 464.98457 465.00955700000003 465.00955700000003 904.175204
5 0 27.898432 27.898432 36.07636 36.07636 377.489611 377.489611 377.516183 377.516183 700.689813
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
