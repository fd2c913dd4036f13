set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/storm_connection_cost.svg"
set title "Where a connect spends its time when all arrive at once"."\n"."workload storm, 500 connections, means by phase, median of 4 valid repetitions"
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
0 0 14.750003 14.750003 78390.602925 78390.602925 78390.754043 78390.754043 79521.123335 79521.123335 79551.717838 79551.717838 79564.960251 79564.960251 79600.241879 79600.241879 80227.56911 80227.56911 82294.034082
1 0 14.76067 14.76067 24966.4218 24966.4218 24966.590927 24966.590927 26192.550528 26192.550528 26218.088302 26218.088302 26218.273276 26218.273276 26278.784633 26278.784633 27072.874648 27072.874648 29385.710812
2 0 15.250053 15.250053 8062.909668999999 8062.909668999999 8064.045297999999 8064.045297999999 9325.096097999998 9325.096097999998 9326.976607999999 9326.976607999999 9327.149478 9327.149478 9330.934674999999 9330.934674999999 9933.418442999999 9933.418442999999 12291.107594
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
