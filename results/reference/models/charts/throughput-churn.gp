# Draw it again: gnuplot -e 'format="pdf"' throughput-churn.gp
if (!exists("format")) format = "svg"
if (format eq "svg") { set terminal svg size 960,425 dynamic noenhanced font "DejaVu Sans,12" background '#ffffff'; scale = 1.0; mark = 0.72 }
if (format eq "png") { set terminal pngcairo size 1920,850 noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 2 pointscale 2 fontscale 1; scale = 1.5; mark = 1.0 }
if (format eq "pdf") { set terminal pdfcairo size 10.0000in,4.4271in noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 0.75 pointscale 0.75 fontscale 1; scale = 0.5625; mark = 1.0 }
set output "throughput-churn".".".format
plain(px) = "DejaVu Sans".sprintf(",%.2f", px * scale)
bold(px) = "DejaVu Sans Bold".sprintf(",%.2f", px * scale)
unset key
unset border
unset tics
set multiplot

set lmargin at screen 0.114535
set rmargin at screen 0.914562
set tmargin at screen 0.835588
set bmargin at screen 0.114853
unset logscale x
set xrange [0:13474.24]
unset logscale y
set yrange [12.5:-0.5]
$data1 << EOD
0 -0.5 0 12.5
2000 -0.5 2000 12.5
4000 -0.5 4000 12.5
6000 -0.5 6000 12.5
8000 -0.5 8000 12.5
10000 -0.5 10000 12.5
12000 -0.5 12000 12.5
EOD
$data2 << EOD
12769 0 0 0
12956 0 0 0
12723 0 0 0
EOD
$data3 << EOD
12769 0 0 0
EOD
$data4 << EOD
12014 1 0 0
12015 1 0 0
11407 1 0 0
EOD
$data5 << EOD
12014 1 0 0
EOD
$data6 << EOD
11334 2 0 0
10950 2 0 0
11353 2 0 0
EOD
$data7 << EOD
11334 2 0 0
EOD
$data8 << EOD
11308 3 0 0
11099 3 0 0
11344 3 0 0
EOD
$data9 << EOD
11308 3 0 0
EOD
$data10 << EOD
11226 4 0 0
10624 4 0 0
11268 4 0 0
EOD
$data11 << EOD
11226 4 0 0
EOD
$data12 << EOD
10595 5 0 0
11413 5 0 0
11156 5 0 0
EOD
$data13 << EOD
11156 5 0 0
EOD
$data14 << EOD
9816 6 0 0
10791 6 0 0
11114 6 0 0
EOD
$data15 << EOD
10791 6 0 0
EOD
$data16 << EOD
10724 7 0 0
11146 7 0 0
10111 7 0 0
EOD
$data17 << EOD
10724 7 0 0
EOD
$data18 << EOD
10197 8 0 0
10250 8 0 0
10403 8 0 0
EOD
$data19 << EOD
10250 8 0 0
EOD
$data20 << EOD
9387 9 0 0
8887 9 0 0
10290 9 0 0
EOD
$data21 << EOD
9387 9 0 0
EOD
$data22 << EOD
8165 10 0 0
9109 10 0 0
8856 10 0 0
EOD
$data23 << EOD
8856 10 0 0
EOD
$data24 << EOD
2351 11 0 0
2373 11 0 0
1973 11 0 0
EOD
$data25 << EOD
2351 11 0 0
EOD
$data26 << EOD
611 12 0 0
464 12 0 0
548 12 0 0
EOD
$data27 << EOD
548 12 0 0
EOD
plot $data1 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data2 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data3 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark, \
  $data4 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data5 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark, \
  $data6 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data7 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark, \
  $data8 using 1:2 with points lc rgb '#8c826334' pt 7 ps 0.44*mark, \
  $data9 using 1:2 with points lc rgb '#00826334' pt 7 ps 0.79*mark, \
  $data10 using 1:2 with points lc rgb '#8c826334' pt 7 ps 0.44*mark, \
  $data11 using 1:2 with points lc rgb '#00826334' pt 7 ps 0.79*mark, \
  $data12 using 1:2 with points lc rgb '#8ca214f5' pt 7 ps 0.44*mark, \
  $data13 using 1:2 with points lc rgb '#00a214f5' pt 7 ps 0.79*mark, \
  $data14 using 1:2 with points lc rgb '#8c4088c7' pt 7 ps 0.44*mark, \
  $data15 using 1:2 with points lc rgb '#004088c7' pt 7 ps 0.79*mark, \
  $data16 using 1:2 with points lc rgb '#8ca214f5' pt 7 ps 0.44*mark, \
  $data17 using 1:2 with points lc rgb '#00a214f5' pt 7 ps 0.79*mark, \
  $data18 using 1:2 with points lc rgb '#8ca214f5' pt 7 ps 0.44*mark, \
  $data19 using 1:2 with points lc rgb '#00a214f5' pt 7 ps 0.79*mark, \
  $data20 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data21 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark, \
  $data22 using 1:2 with points lc rgb '#8c826334' pt 7 ps 0.44*mark, \
  $data23 using 1:2 with points lc rgb '#00826334' pt 7 ps 0.79*mark, \
  $data24 using 1:2 with points lc rgb '#8c4088c7' pt 7 ps 0.44*mark, \
  $data25 using 1:2 with points lc rgb '#004088c7' pt 7 ps 0.79*mark, \
  $data26 using 1:2 with points lc rgb '#8c4088c7' pt 7 ps 0.44*mark, \
  $data27 using 1:2 with points lc rgb '#004088c7' pt 7 ps 0.79*mark

# Words and leaders, in pixels.
set lmargin at screen 0.000000
set rmargin at screen 1.000000
set tmargin at screen 1.000000
set bmargin at screen 0.000000
unset logscale x
set xrange [0:960]
unset logscale y
set yrange [425:0]
set label 1 "Throughput" at 7.80,17.96 left font bold(16.25) tc rgb '#00222428'
set label 2 "workload churn, protocol simple, 8 connections, shared_buffers=64MB; median of 3 valid repetitions" at 7.80,35.02 left font plain(11.05) tc rgb '#00767a80'
set label 3 "throughput [tx/s] (higher is better)" at 7.80,57.85 left font plain(13.00) tc rgb '#00222428'
set label 4 "0" at 109.95,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 5 "2,000" at 223.95,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 6 "4,000" at 337.95,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 7 "6,000" at 451.95,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 8 "8,000" at 565.95,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 9 "10,000" at 679.95,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 10 "12,000" at 793.95,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 11 "run 20261121T204728-models; 2026-11-21; connbench 0.1.0 (b521069f8d+); 2 CPUs AMD EPYC; Linux 6.18.44-fc-v669" at 7.80,409.74 left font plain(11.05) tc rgb '#00767a80'
$data28 << EOD
102.15 81.66
EOD
$data29 << EOD
952.20 81.66
EOD
$data30 << EOD
102.15 105.22
EOD
$data31 << EOD
952.20 105.22
EOD
$data32 << EOD
102.15 128.78
EOD
$data33 << EOD
952.20 128.78
EOD
$data34 << EOD
102.15 152.34
EOD
$data35 << EOD
952.20 152.34
EOD
$data36 << EOD
102.15 175.91
EOD
$data37 << EOD
952.20 175.91
EOD
$data38 << EOD
102.15 199.47
EOD
$data39 << EOD
952.20 199.47
EOD
$data40 << EOD
102.15 223.03
EOD
$data41 << EOD
952.20 223.03
EOD
$data42 << EOD
102.15 246.59
EOD
$data43 << EOD
952.20 246.59
EOD
$data44 << EOD
102.15 270.16
EOD
$data45 << EOD
952.20 270.16
EOD
$data46 << EOD
102.15 293.72
EOD
$data47 << EOD
952.20 293.72
EOD
$data48 << EOD
102.15 317.28
EOD
$data49 << EOD
952.20 317.28
EOD
$data50 << EOD
102.15 340.84
EOD
$data51 << EOD
952.20 340.84
EOD
$data52 << EOD
102.15 364.41
EOD
$data53 << EOD
952.20 364.41
EOD
plot $data28 using 1:2:("thread-pool") with labels right font plain(13.00) tc rgb '#00222428', \
  $data29 using 1:2:("12,769 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data30 using 1:2:("pool-tx") with labels right font plain(13.00) tc rgb '#00222428', \
  $data31 using 1:2:("12,014 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data32 using 1:2:("pool-tx-thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data33 using 1:2:("11,334 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data34 using 1:2:("thread-cached") with labels right font plain(13.00) tc rgb '#00222428', \
  $data35 using 1:2:("11,308 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data36 using 1:2:("hybrid") with labels right font plain(13.00) tc rgb '#00222428', \
  $data37 using 1:2:("11,226 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data38 using 1:2:("reactor-uring") with labels right font plain(13.00) tc rgb '#00222428', \
  $data39 using 1:2:("11,156 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data40 using 1:2:("prefork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data41 using 1:2:("10,791 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data42 using 1:2:("reactor") with labels right font plain(13.00) tc rgb '#00222428', \
  $data43 using 1:2:("10,724 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data44 using 1:2:("fdpass") with labels right font plain(13.00) tc rgb '#00222428', \
  $data45 using 1:2:("10,250 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data46 using 1:2:("poco") with labels right font plain(13.00) tc rgb '#00222428', \
  $data47 using 1:2:("9,387 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data48 using 1:2:("thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data49 using 1:2:("8,856 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data50 using 1:2:("fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data51 using 1:2:("2,351 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data52 using 1:2:("fork-exec") with labels right font plain(13.00) tc rgb '#00222428', \
  $data53 using 1:2:("548 tx/s") with labels right font plain(11.05) tc rgb '#00222428'
unset multiplot
unset output
