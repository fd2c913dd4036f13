# Draw it again: gnuplot -e 'format="pdf"' connect-churn.gp
if (!exists("format")) format = "svg"
if (format eq "svg") { set terminal svg size 960,250 dynamic noenhanced font "DejaVu Sans,12" background '#ffffff'; scale = 1.0; mark = 0.72 }
if (format eq "png") { set terminal pngcairo size 1920,500 noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 2 pointscale 2 fontscale 1; scale = 1.5; mark = 1.0 }
if (format eq "pdf") { set terminal pdfcairo size 10.0000in,2.6042in noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 0.75 pointscale 0.75 fontscale 1; scale = 0.5625; mark = 1.0 }
set output "connect-churn".".".format
plain(px) = "DejaVu Sans".sprintf(",%.2f", px * scale)
bold(px) = "DejaVu Sans Bold".sprintf(",%.2f", px * scale)
unset key
unset border
unset tics
set multiplot

set lmargin at screen 0.094765
set rmargin at screen 0.933197
set tmargin at screen 0.639900
set bmargin at screen 0.451400
unset logscale x
set xrange [0:1684.9727715599997]
unset logscale y
set yrange [1.5:-0.5]
$data1 << EOD
0 -0.5 0 1.5
200 -0.5 200 1.5
400 -0.5 400 1.5
600.0000000000001 -0.5 600.0000000000001 1.5
800 -0.5 800 1.5
1000 -0.5 1000 1.5
1200.0000000000002 -0.5 1200.0000000000002 1.5
1400.0000000000002 -0.5 1400.0000000000002 1.5
1600 -0.5 1600 1.5
EOD
$data2 << EOD
0 -0.32 45.278153 0.32
EOD
$data3 << EOD
45.278153 -0.32 227.4681995 0.32
EOD
$data4 << EOD
227.4681995 -0.32 428.382319 0.32
EOD
$data5 << EOD
428.382319 -0.32 432.70869849999997 0.32
EOD
$data6 << EOD
432.70869849999997 -0.32 440.19090049999994 0.32
EOD
$data7 << EOD
440.19090049999994 -0.32 1315.7936655 0.32
EOD
$data8 << EOD
0 0.6799999999999999 49.1176905 1.32
EOD
$data9 << EOD
49.1176905 0.6799999999999999 238.4490605 1.32
EOD
$data10 << EOD
238.4490605 0.6799999999999999 399.30863 1.32
EOD
$data11 << EOD
399.30863 0.6799999999999999 416.09533 1.32
EOD
$data12 << EOD
416.09533 0.6799999999999999 432.019733 1.32
EOD
$data13 << EOD
432.019733 0.6799999999999999 1620.1661264999998 1.32
EOD
plot $data1 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data2 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data3 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data4 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data5 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data6 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#005e6871', \
  $data7 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00bac8be', \
  $data8 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data9 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data10 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data11 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data12 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#005e6871', \
  $data13 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00bac8be'

set lmargin at screen 0.094765
set rmargin at screen 0.933197
set tmargin at screen 0.289550
set bmargin at screen 0.195300
unset logscale x
set xrange [0:6513.29838172]
unset logscale y
set yrange [0.5:-0.5]
$data14 << EOD
0 -0.5 0 0.5
1000 -0.5 1000 0.5
2000 -0.5 2000 0.5
3000 -0.5 3000 0.5
4000 -0.5 4000 0.5
5000 -0.5 5000 0.5
6000 -0.5 6000 0.5
EOD
$data15 << EOD
0 -0.32 46.620183499999996 0.32
EOD
$data16 << EOD
46.620183499999996 -0.32 2083.8783405 0.32
EOD
$data17 << EOD
2083.8783405 -0.32 3160.599722 0.32
EOD
$data18 << EOD
3160.599722 -0.32 3252.467749 0.32
EOD
$data19 << EOD
3252.467749 -0.32 3314.393121 0.32
EOD
$data20 << EOD
3314.393121 -0.32 6262.7869055 0.32
EOD
plot $data14 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data15 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data16 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data17 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data18 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data19 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#005e6871', \
  $data20 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00bac8be'

# Words and leaders, in pixels.
set lmargin at screen 0.000000
set rmargin at screen 1.000000
set tmargin at screen 1.000000
set bmargin at screen 0.000000
unset logscale x
set xrange [0:960]
unset logscale y
set yrange [250:0]
set label 1 "Where a connect spends its time" at 7.80,17.96 left font bold(16.25) tc rgb '#00222428'
set label 2 "workload churn, protocol simple, 8 connections, shared_buffers=64MB; median of 6 valid repetitions" at 7.80,35.02 left font plain(11.05) tc rgb '#00767a80'
set label 3 "mean time from connect() to the first row (lower is better)" at 7.80,57.85 left font plain(13.00) tc rgb '#00222428'
set label 4 "TCP handshake" at 23.40,74.10 left font plain(13.00) tc rgb '#00222428'
set label 5 "waiting to be accepted" at 154.80,74.10 left font plain(13.00) tc rgb '#00222428'
set label 6 "starting the process or thread" at 335.00,74.10 left font plain(13.00) tc rgb '#00222428'
set label 7 "login" at 560.90,74.10 left font plain(13.00) tc rgb '#00222428'
set label 8 "making the session" at 623.78,74.10 left font plain(13.00) tc rgb '#00222428'
set label 9 "first statement" at 780.98,74.10 left font plain(13.00) tc rgb '#00222428'
set label 10 "0" at 90.97,147.88 center font plain(11.05) tc rgb '#00767a80'
set label 11 "0.2 ms" at 186.51,147.88 center font plain(11.05) tc rgb '#00767a80'
set label 12 "0.4 ms" at 282.05,147.88 center font plain(11.05) tc rgb '#00767a80'
set label 13 "0.6 ms" at 377.59,147.88 center font plain(11.05) tc rgb '#00767a80'
set label 14 "0.8 ms" at 473.13,147.88 center font plain(11.05) tc rgb '#00767a80'
set label 15 "1 ms" at 568.66,147.88 center font plain(11.05) tc rgb '#00767a80'
set label 16 "1.2 ms" at 664.20,147.88 center font plain(11.05) tc rgb '#00767a80'
set label 17 "1.4 ms" at 759.74,147.88 center font plain(11.05) tc rgb '#00767a80'
set label 18 "1.6 ms" at 855.28,147.88 center font plain(11.05) tc rgb '#00767a80'
set label 19 "On a scale of their own:" at 7.80,170.71 left font plain(11.05) tc rgb '#00767a80'
set label 20 "0" at 90.97,211.90 center font plain(11.05) tc rgb '#00767a80'
set label 21 "1 ms" at 214.55,211.90 center font plain(11.05) tc rgb '#00767a80'
set label 22 "2 ms" at 338.13,211.90 center font plain(11.05) tc rgb '#00767a80'
set label 23 "3 ms" at 461.71,211.90 center font plain(11.05) tc rgb '#00767a80'
set label 24 "4 ms" at 585.28,211.90 center font plain(11.05) tc rgb '#00767a80'
set label 25 "5 ms" at 708.86,211.90 center font plain(11.05) tc rgb '#00767a80'
set label 26 "6 ms" at 832.44,211.90 center font plain(11.05) tc rgb '#00767a80'
set label 27 "run 20261129T103041-quick; 2026-11-29; connbench 0.1.0 (7a4b4e11aa+); 2 CPUs AMD EPYC; Linux 6.18.44-fc-v782" at 7.80,234.73 left font plain(11.05) tc rgb '#00767a80'
$data21 << EOD
7.8 68.25 19.5 79.94999999999999
EOD
$data22 << EOD
139.204 68.25 150.904 79.94999999999999
EOD
$data23 << EOD
319.397 68.25 331.097 79.94999999999999
EOD
$data24 << EOD
545.298 68.25 556.998 79.94999999999999
EOD
$data25 << EOD
608.179 68.25 619.879 79.94999999999999
EOD
$data26 << EOD
765.375 68.25 777.075 79.94999999999999
EOD
$data27 << EOD
83.17 101.81
EOD
$data28 << EOD
952.20 101.81
EOD
$data29 << EOD
83.17 125.37
EOD
$data30 << EOD
952.20 125.37
EOD
$data31 << EOD
83.17 189.39
EOD
$data32 << EOD
952.20 189.39
EOD
plot $data21 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data22 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data23 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data24 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data25 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#005e6871', \
  $data26 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00bac8be', \
  $data27 using 1:2:("thread-pool") with labels right font plain(13.00) tc rgb '#00222428', \
  $data28 using 1:2:("1.32 ms") with labels right font plain(11.05) tc rgb '#00222428', \
  $data29 using 1:2:("thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data30 using 1:2:("1.62 ms") with labels right font plain(11.05) tc rgb '#00222428', \
  $data31 using 1:2:("fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data32 using 1:2:("6.26 ms") with labels right font plain(11.05) tc rgb '#00222428'
unset multiplot
unset output
