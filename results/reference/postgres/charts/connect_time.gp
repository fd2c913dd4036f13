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
0 0 27.821757 27.821757 34.313599 34.313599 1977.7984020000001 1977.7984020000001 1977.8238970000002 1977.8238970000002 3294.5435030000003
1 0 24.881892 24.881892 37.350025 37.350025 221.462177 221.462177 221.486425 221.486425 678.4590430000001
2 0 27.143227 27.143227 41.447655 41.447655 284.43489999999997 284.43489999999997 284.460811 284.460811 927.8466679999999
3 0 46.84507 46.84507 59.466919 59.466919 12717.320418000001 12717.320418000001 12717.350318 12717.350318 16843.684777000002
4 0 28.017201 28.017201 35.148245 35.148245 460.23044100000004 460.23044100000004 460.25593900000007 460.25593900000007 905.4932090000001
5 0 25.279237 25.279237 32.443827 32.443827 346.44727 346.44727 346.473377 346.473377 630.253712
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
