# Draw it again: gnuplot -e 'format="pdf"' throughput-churn.gp
if (!exists("format")) format = "svg"
if (format eq "svg") { set terminal svg size 960,260 dynamic noenhanced font "DejaVu Sans,12" background '#ffffff'; scale = 1.0; mark = 0.72 }
if (format eq "png") { set terminal pngcairo size 1920,520 noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 2 pointscale 2 fontscale 1; scale = 1.5; mark = 1.0 }
if (format eq "pdf") { set terminal pdfcairo size 10.0000in,2.7083in noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 0.75 pointscale 0.75 fontscale 1; scale = 0.5625; mark = 1.0 }
set output "throughput-churn".".".format
plain(px) = "DejaVu Sans".sprintf(",%.2f", px * scale)
bold(px) = "DejaVu Sans Bold".sprintf(",%.2f", px * scale)
unset key
unset border
unset tics
set multiplot

set lmargin at screen 0.158993
set rmargin at screen 0.914562
set tmargin at screen 0.731250
set bmargin at screen 0.187500
set logscale x
set xrange [394.6428571428571:14827.680000000002]
unset logscale y
set yrange [5.5:-0.5]
$data1 << EOD
500 -0.5 500 5.5
1000 -0.5 1000 5.5
2000 -0.5 2000 5.5
5000 -0.5 5000 5.5
10000 -0.5 10000 5.5
EOD
$data2 << EOD
13239 0 0 0
12471 0 0 0
9758 0 0 0
EOD
$data3 << EOD
12471 0 0 0
EOD
$data4 << EOD
11444 1 0 0
11495 1 0 0
12297.5 1 0 0
EOD
$data5 << EOD
11495 1 0 0
EOD
$data6 << EOD
8859.5 2 0 0
8348.5 2 0 0
8581 2 0 0
EOD
$data7 << EOD
8581 2 0 0
EOD
$data8 << EOD
10311.5 3 0 0
8434.5 3 0 0
8407.5 3 0 0
EOD
$data9 << EOD
8434.5 3 0 0
EOD
$data10 << EOD
2391 4 0 0
2551 4 0 0
2309.5 4 0 0
EOD
$data11 << EOD
2391 4 0 0
EOD
$data12 << EOD
442 5 0 0
472 5 0 0
517 5 0 0
EOD
$data13 << EOD
472 5 0 0
EOD
plot $data1 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data2 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data3 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark, \
  $data4 using 1:2 with points lc rgb '#8cb88d00' pt 7 ps 0.44*mark, \
  $data5 using 1:2 with points lc rgb '#00b88d00' pt 7 ps 0.79*mark, \
  $data6 using 1:2 with points lc rgb '#8c826334' pt 7 ps 0.44*mark, \
  $data7 using 1:2 with points lc rgb '#00826334' pt 7 ps 0.79*mark, \
  $data8 using 1:2 with points lc rgb '#8cb88d00' pt 7 ps 0.44*mark, \
  $data9 using 1:2 with points lc rgb '#00b88d00' pt 7 ps 0.79*mark, \
  $data10 using 1:2 with points lc rgb '#8c4088c7' pt 7 ps 0.44*mark, \
  $data11 using 1:2 with points lc rgb '#004088c7' pt 7 ps 0.79*mark, \
  $data12 using 1:2 with points lc rgb '#8cb88d00' pt 7 ps 0.44*mark, \
  $data13 using 1:2 with points lc rgb '#00b88d00' pt 7 ps 0.79*mark

# Words and leaders, in pixels.
set lmargin at screen 0.000000
set rmargin at screen 1.000000
set tmargin at screen 1.000000
set bmargin at screen 0.000000
unset logscale x
set xrange [0:960]
unset logscale y
set yrange [260:0]
set label 1 "Throughput" at 7.80,17.96 left font bold(16.25) tc rgb '#00222428'
set label 2 "workload churn, protocol simple, 8 connections, shared_buffers=128MB; median of 3 valid repetitions" at 7.80,35.02 left font plain(11.05) tc rgb '#00767a80'
set label 3 "throughput [tx/s] (higher is better)" at 7.80,57.85 left font plain(13.00) tc rgb '#00222428'
set label 4 "500" at 199.96,221.97 center font plain(11.05) tc rgb '#00767a80'
set label 5 "1,000" at 338.61,221.97 center font plain(11.05) tc rgb '#00767a80'
set label 6 "2,000" at 477.26,221.97 center font plain(11.05) tc rgb '#00767a80'
set label 7 "5,000" at 660.54,221.97 center font plain(11.05) tc rgb '#00767a80'
set label 8 "10,000" at 799.19,221.97 center font plain(11.05) tc rgb '#00767a80'
set label 9 "run 20261121T210821-postgres; 2026-11-21; connbench 0.1.0 (e76fd5d2d5+); 2 CPUs AMD EPYC; Linux 6.18.44-fc-v669" at 7.80,244.81 left font plain(11.05) tc rgb '#00767a80'
$data14 << EOD
144.83 81.66
EOD
$data15 << EOD
952.20 81.66
EOD
$data16 << EOD
144.83 105.22
EOD
$data17 << EOD
952.20 105.22
EOD
$data18 << EOD
144.83 128.78
EOD
$data19 << EOD
952.20 128.78
EOD
$data20 << EOD
144.83 152.34
EOD
$data21 << EOD
952.20 152.34
EOD
$data22 << EOD
144.83 175.91
EOD
$data23 << EOD
952.20 175.91
EOD
$data24 << EOD
144.83 199.47
EOD
$data25 << EOD
952.20 199.47
EOD
plot $data14 using 1:2:("thread-pool") with labels right font plain(13.00) tc rgb '#00222428', \
  $data15 using 1:2:("12,471 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data16 using 1:2:("pgbouncer+fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data17 using 1:2:("11,495 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data18 using 1:2:("thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data19 using 1:2:("8,581 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data20 using 1:2:("pgbouncer+postgres") with labels right font plain(13.00) tc rgb '#00222428', \
  $data21 using 1:2:("8,434 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data22 using 1:2:("fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data23 using 1:2:("2,391 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data24 using 1:2:("postgres") with labels right font plain(13.00) tc rgb '#00222428', \
  $data25 using 1:2:("472 tx/s") with labels right font plain(11.05) tc rgb '#00222428'
unset multiplot
unset output
