set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/postgres/charts/storm_connection_cost.svg"
set title "Where a connect spends its time when all arrive at once"."\n"."workload storm, 500 connections, means by phase, median of 3 valid repetitions"
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
0 0 14.487656 14.487656 63084.599612 63084.599612 63084.747043999996 63084.747043999996 63904.709306 63904.709306 63935.227596 63935.227596 63944.717425999996 63944.717425999996 63973.24744399999 63973.24744399999 64566.329073999994 64566.329073999994 66306.87573799999
1 0 16.921848 16.921848 23363.63314 23363.63314 23363.810328000003 23363.810328000003 24474.926986000002 24474.926986000002 24515.193978000003 24515.193978000003 24515.380398000005 24515.380398000005 24570.946384000006 24570.946384000006 24979.900556000008 24979.900556000008 26806.945266000006
2 0 15.224708 15.224708 7264.296988 7264.296988 7265.329436 7265.329436 8446.745234 8446.745234 8448.451316 8448.451316 8448.575602 8448.575602 8452.56889 8452.56889 8847.921472 8847.921472 10854.026834
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
