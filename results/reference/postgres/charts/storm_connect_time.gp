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
0 0 14.487656 14.487656 20.511347999999998 20.511347999999998 64369.781348 64369.781348 64369.805775999994 64369.805775999994 66110.35243999999
1 0 12.168662 12.168662 21.46003 21.46003 8579.504814 8579.504814 8579.52856 8579.52856 49237.964002
2 0 12.150296 12.150296 21.805438000000002 21.805438000000002 21902.483486 21902.483486 21902.507232 21902.507232 61506.326230000006
3 0 14.828896 14.828896 21.007776 21.007776 495836.02363 495836.02363 495836.05592 495836.05592 500413.17918000004
4 0 16.921848 16.921848 23.646688 23.646688 24852.781506 24852.781506 24852.808161999998 24852.808161999998 26679.852871999996
5 0 15.224848 15.224848 21.28276 21.28276 9313.42668 9313.42668 9313.451078 9313.451078 11319.55644
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
