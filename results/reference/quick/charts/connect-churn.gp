# Draw it again: gnuplot -e 'format="pdf"' connect-churn.gp
if (!exists("format")) format = "svg"
if (format eq "svg") { set terminal svg size 960,209 dynamic noenhanced font "DejaVu Sans,12" background '#ffffff'; scale = 1.0; mark = 0.72 }
if (format eq "png") { set terminal pngcairo size 1920,418 noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 2 pointscale 2 fontscale 1; scale = 1.5; mark = 1.0 }
if (format eq "pdf") { set terminal pdfcairo size 10.0000in,2.1771in noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 0.75 pointscale 0.75 fontscale 1; scale = 0.5625; mark = 1.0 }
set output "connect-churn".".".format
plain(px) = "DejaVu Sans".sprintf(",%.2f", px * scale)
bold(px) = "DejaVu Sans Bold".sprintf(",%.2f", px * scale)
unset key
unset border
unset tics
set multiplot

set lmargin at screen 0.094765
set rmargin at screen 0.933197
set tmargin at screen 0.569258
set bmargin at screen 0.231041
unset logscale x
set xrange [0:3189.27651016]
unset logscale y
set yrange [2.5:-0.5]
$data1 << EOD
0 -0.5 0 2.5
500 -0.5 500 2.5
1000 -0.5 1000 2.5
1500 -0.5 1500 2.5
2000 -0.5 2000 2.5
2500 -0.5 2500 2.5
3000 -0.5 3000 2.5
EOD
$data2 << EOD
0 -0.32 24.233855 0.32
EOD
$data3 << EOD
24.233855 -0.32 117.4821115 0.32
EOD
$data4 << EOD
117.4821115 -0.32 220.776703 0.32
EOD
$data5 << EOD
220.776703 -0.32 222.74587499999998 0.32
EOD
$data6 << EOD
222.74587499999998 -0.32 226.84351199999998 0.32
EOD
$data7 << EOD
226.84351199999998 -0.32 633.0317115 0.32
EOD
$data8 << EOD
0 0.6799999999999999 27.256321 1.32
EOD
$data9 << EOD
27.256321 0.6799999999999999 152.0472145 1.32
EOD
$data10 << EOD
152.0472145 0.6799999999999999 252.08803999999998 1.32
EOD
$data11 << EOD
252.08803999999998 0.6799999999999999 259.67855399999996 1.32
EOD
$data12 << EOD
259.67855399999996 0.6799999999999999 268.81200149999995 1.32
EOD
$data13 << EOD
268.81200149999995 0.6799999999999999 964.7252609999999 1.32
EOD
$data14 << EOD
0 1.68 26.365359499999997 2.32
EOD
$data15 << EOD
26.365359499999997 1.68 765.1334539999999 2.32
EOD
$data16 << EOD
765.1334539999999 1.68 1495.1603284999999 2.32
EOD
$data17 << EOD
1495.1603284999999 1.68 1542.3445215 2.32
EOD
$data18 << EOD
1542.3445215 1.68 1572.545179 2.32
EOD
$data19 << EOD
1572.545179 1.68 3066.612029 2.32
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
  $data13 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00bac8be', \
  $data14 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data15 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data16 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data17 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data18 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#005e6871', \
  $data19 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00bac8be'

# Words and leaders, in pixels.
set lmargin at screen 0.000000
set rmargin at screen 1.000000
set tmargin at screen 1.000000
set bmargin at screen 0.000000
unset logscale x
set xrange [0:960]
unset logscale y
set yrange [209:0]
set label 1 "Where a connect spends its time" at 7.80,17.96 left font bold(16.25) tc rgb '#00222428'
set label 2 "workload churn, protocol simple, 8 connections, shared_buffers=64MB; median of 4 valid repetitions" at 7.80,35.02 left font plain(11.05) tc rgb '#00767a80'
set label 3 "mean time from connect() to the first row (lower is better)" at 7.80,57.85 left font plain(13.00) tc rgb '#00222428'
set label 4 "TCP handshake" at 23.40,74.10 left font plain(13.00) tc rgb '#00222428'
set label 5 "waiting to be accepted" at 154.80,74.10 left font plain(13.00) tc rgb '#00222428'
set label 6 "starting the process or thread" at 335.00,74.10 left font plain(13.00) tc rgb '#00222428'
set label 7 "login" at 560.90,74.10 left font plain(13.00) tc rgb '#00222428'
set label 8 "making the session" at 623.78,74.10 left font plain(13.00) tc rgb '#00222428'
set label 9 "first statement" at 780.98,74.10 left font plain(13.00) tc rgb '#00222428'
set label 10 "0" at 90.97,171.44 center font plain(11.05) tc rgb '#00767a80'
set label 11 "0.5 ms" at 217.16,171.44 center font plain(11.05) tc rgb '#00767a80'
set label 12 "1 ms" at 343.35,171.44 center font plain(11.05) tc rgb '#00767a80'
set label 13 "1.5 ms" at 469.54,171.44 center font plain(11.05) tc rgb '#00767a80'
set label 14 "2 ms" at 595.72,171.44 center font plain(11.05) tc rgb '#00767a80'
set label 15 "2.5 ms" at 721.91,171.44 center font plain(11.05) tc rgb '#00767a80'
set label 16 "3 ms" at 848.10,171.44 center font plain(11.05) tc rgb '#00767a80'
set label 17 "run 20261121T210647-quick; 2026-11-21; connbench 0.1.0 (e76fd5d2d5+); 2 CPUs AMD EPYC; Linux 6.18.44-fc-v669" at 7.80,194.27 left font plain(11.05) tc rgb '#00767a80'
$data20 << EOD
7.8 68.25 19.5 79.94999999999999
EOD
$data21 << EOD
139.204 68.25 150.904 79.94999999999999
EOD
$data22 << EOD
319.397 68.25 331.097 79.94999999999999
EOD
$data23 << EOD
545.298 68.25 556.998 79.94999999999999
EOD
$data24 << EOD
608.179 68.25 619.879 79.94999999999999
EOD
$data25 << EOD
765.375 68.25 777.075 79.94999999999999
EOD
$data26 << EOD
83.17 101.81
EOD
$data27 << EOD
952.20 101.81
EOD
$data28 << EOD
83.17 125.37
EOD
$data29 << EOD
952.20 125.37
EOD
$data30 << EOD
83.17 148.93
EOD
$data31 << EOD
952.20 148.93
EOD
plot $data20 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data21 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data22 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data23 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data24 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#005e6871', \
  $data25 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00bac8be', \
  $data26 using 1:2:("thread-pool") with labels right font plain(13.00) tc rgb '#00222428', \
  $data27 using 1:2:("633 us") with labels right font plain(11.05) tc rgb '#00222428', \
  $data28 using 1:2:("thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data29 using 1:2:("965 us") with labels right font plain(11.05) tc rgb '#00222428', \
  $data30 using 1:2:("fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data31 using 1:2:("3.07 ms") with labels right font plain(11.05) tc rgb '#00222428'
unset multiplot
unset output
