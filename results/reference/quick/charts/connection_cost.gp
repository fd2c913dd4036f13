set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/connection_cost.svg"
set title "Where a connect spends its time"."\n"."workload churn, 8 connections, means by phase, median of 4 valid repetitions"
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
0 0 26.365359499999997 26.365359499999997 765.1334539999999 765.1334539999999 765.311481 765.311481 1495.1603284999999 1495.1603284999999 1530.3737815 1530.3737815 1542.3445215 1542.3445215 1572.545179 1572.545179 1818.0687415 1818.0687415 3066.612029
1 0 27.256321 27.256321 152.0472145 152.0472145 152.320239 152.320239 252.08803999999998 252.08803999999998 259.2991825 259.2991825 259.67855399999996 259.67855399999996 268.81200149999995 268.81200149999995 495.64829 495.64829 964.725261
2 0 24.233855 24.233855 117.4821115 117.4821115 118.157456 118.157456 220.776703 220.776703 222.501178 222.501178 222.745875 222.745875 226.843512 226.843512 347.426696 347.426696 633.0317115
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
