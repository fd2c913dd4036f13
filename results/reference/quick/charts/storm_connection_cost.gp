set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/quick/charts/storm_connection_cost.svg"
set title "Where a connect spends its time when all arrive at once"."\n"."workload storm, 500 connections, means by phase, median of 4 repetitions"
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
0 0 30.305584 30.305584 121829.220609 121829.220609 121829.45443299999 121829.45443299999 123391.87836999999 123391.87836999999 123468.20141299999 123468.20141299999 123472.09863699999 123472.09863699999 123540.99262899999 123540.99262899999 124483.22387199999 124483.22387199999 128012.03047499999
1 0 27.729995000000002 27.729995000000002 36219.475546 36219.475546 36221.629613000005 36221.629613000005 37010.46681500001 37010.46681500001 37061.23879100001 37061.23879100001 37061.34476000001 37061.34476000001 37201.045598000004 37201.045598000004 38438.31258600001 38438.31258600001 40758.17116500001
2 0 19.871393 19.871393 9345.101851 9345.101851 9346.692941 9346.692941 11655.089377999999 11655.089377999999 11657.566378999998 11657.566378999998 11657.639000999998 11657.639000999998 11672.724076999997 11672.724076999997 12126.300156999998 12126.300156999998 18154.396565999996
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
