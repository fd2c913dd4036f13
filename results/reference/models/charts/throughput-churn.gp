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
set rmargin at screen 0.921882
set tmargin at screen 0.835588
set bmargin at screen 0.114853
unset logscale x
set xrange [0:7376.97872496]
unset logscale y
set yrange [12.5:-0.5]
$data1 << EOD
0 -0.5 0 12.5
1000 -0.5 1000 12.5
2000 -0.5 2000 12.5
3000 -0.5 3000 12.5
4000 -0.5 4000 12.5
5000 -0.5 5000 12.5
6000 -0.5 6000 12.5
7000 -0.5 7000 12.5
EOD
$data2 << EOD
5347.710841 0 0 0
6394.88025 0 0 0
6429.304235 0 0 0
6406.499771 0 0 0
5431.966898 0 0 0
EOD
$data3 << EOD
6394.88025 0 0 0
EOD
$data4 << EOD
6098.071025 1 0 0
6374.113512 1 0 0
5930.239366 1 0 0
7093.248774 1 0 0
6811.940197 1 0 0
EOD
$data5 << EOD
6374.113512 1 0 0
EOD
$data6 << EOD
5717.149717 2 0 0
6144.408276 2 0 0
6975.544508 2 0 0
5487.941185 2 0 0
5861.393539 2 0 0
5963.818457 2 0 0
EOD
$data7 << EOD
5487.941185 2 6975.544508 2
EOD
$data8 << EOD
5912.605998 2 0 0
EOD
$data9 << EOD
5927.071471 3 0 0
5582.580498 3 0 0
5806.787056 3 0 0
6031.392363 3 0 0
6037.818319 3 0 0
5809.743694 3 0 0
EOD
$data10 << EOD
5582.580498 3 6037.818319 3
EOD
$data11 << EOD
5868.4075825 3 0 0
EOD
$data12 << EOD
5478.516681 4 0 0
6161.988832 4 0 0
5964.1613 4 0 0
5854.781048 4 0 0
5681.889011 4 0 0
EOD
$data13 << EOD
5854.781048 4 0 0
EOD
$data14 << EOD
5640.720414 5 0 0
6247.696723 5 0 0
5868.714888 5 0 0
4993.878208 5 0 0
6487.79069 5 0 0
5148.909413 5 0 0
EOD
$data15 << EOD
4993.878208 5 6487.79069 5
EOD
$data16 << EOD
5754.717651000001 5 0 0
EOD
$data17 << EOD
5805.032784 6 0 0
5600.355586 6 0 0
6039.048694 6 0 0
5671.528556 6 0 0
5454.934595 6 0 0
6110.006778 6 0 0
EOD
$data18 << EOD
5454.934595 6 6110.006778 6
EOD
$data19 << EOD
5738.28067 6 0 0
EOD
$data20 << EOD
5157.084341 7 0 0
5166.081671 7 0 0
5551.926577 7 0 0
5537.782596 7 0 0
5436.94578 7 0 0
4690.303973 7 0 0
EOD
$data21 << EOD
4690.303973 7 5551.926577 7
EOD
$data22 << EOD
5301.5137255 7 0 0
EOD
$data23 << EOD
5219.575108 8 0 0
5469.229324 8 0 0
5098.133787 8 0 0
4736.191771 8 0 0
4665.965182 8 0 0
5350.021352 8 0 0
EOD
$data24 << EOD
4665.965182 8 5469.229324 8
EOD
$data25 << EOD
5158.8544475 8 0 0
EOD
$data26 << EOD
4700.496333 9 0 0
4847.574142 9 0 0
4938.202624 9 0 0
5210.509785 9 0 0
4452.662416 9 0 0
4963.887669 9 0 0
EOD
$data27 << EOD
4452.662416 9 5210.509785 9
EOD
$data28 << EOD
4892.8883829999995 9 0 0
EOD
$data29 << EOD
4278.350707 10 0 0
4606.901066 10 0 0
4854.894604 10 0 0
4786.98487 10 0 0
4453.397485 10 0 0
4135.642508 10 0 0
EOD
$data30 << EOD
4135.642508 10 4854.894604 10
EOD
$data31 << EOD
4530.1492755 10 0 0
EOD
$data32 << EOD
1281.560154 11 0 0
1305.521872 11 0 0
1471.02594 11 0 0
969.276772 11 0 0
965.182633 11 0 0
1005.58869 11 0 0
EOD
$data33 << EOD
965.182633 11 1471.02594 11
EOD
$data34 << EOD
1143.5744220000001 11 0 0
EOD
$data35 << EOD
281.588304 12 0 0
292.819204 12 0 0
294.403139 12 0 0
238.766811 12 0 0
351.680589 12 0 0
238.102689 12 0 0
EOD
$data36 << EOD
238.102689 12 351.680589 12
EOD
$data37 << EOD
287.203754 12 0 0
EOD
plot $data1 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data2 using 1:2 with points lc rgb '#8ca214f5' pt 7 ps 0.44*mark, \
  $data3 using 1:2 with points lc rgb '#00a214f5' pt 7 ps 0.79*mark, \
  $data4 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data5 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark, \
  $data6 using 1:2 with points lc rgb '#8c826334' pt 7 ps 0.44*mark, \
  $data7 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00826334' lw 1.8 dt 1, \
  $data8 using 1:2 with points lc rgb '#00826334' pt 7 ps 0.79*mark, \
  $data9 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data10 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00629993' lw 1.8 dt 1, \
  $data11 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark, \
  $data12 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data13 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark, \
  $data14 using 1:2 with points lc rgb '#8ca214f5' pt 7 ps 0.44*mark, \
  $data15 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00a214f5' lw 1.8 dt 1, \
  $data16 using 1:2 with points lc rgb '#00a214f5' pt 7 ps 0.79*mark, \
  $data17 using 1:2 with points lc rgb '#8ca214f5' pt 7 ps 0.44*mark, \
  $data18 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00a214f5' lw 1.8 dt 1, \
  $data19 using 1:2 with points lc rgb '#00a214f5' pt 7 ps 0.79*mark, \
  $data20 using 1:2 with points lc rgb '#8c826334' pt 7 ps 0.44*mark, \
  $data21 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00826334' lw 1.8 dt 1, \
  $data22 using 1:2 with points lc rgb '#00826334' pt 7 ps 0.79*mark, \
  $data23 using 1:2 with points lc rgb '#8c4088c7' pt 7 ps 0.44*mark, \
  $data24 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#004088c7' lw 1.8 dt 1, \
  $data25 using 1:2 with points lc rgb '#004088c7' pt 7 ps 0.79*mark, \
  $data26 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data27 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00629993' lw 1.8 dt 1, \
  $data28 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark, \
  $data29 using 1:2 with points lc rgb '#8c826334' pt 7 ps 0.44*mark, \
  $data30 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00826334' lw 1.8 dt 1, \
  $data31 using 1:2 with points lc rgb '#00826334' pt 7 ps 0.79*mark, \
  $data32 using 1:2 with points lc rgb '#8c4088c7' pt 7 ps 0.44*mark, \
  $data33 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#004088c7' lw 1.8 dt 1, \
  $data34 using 1:2 with points lc rgb '#004088c7' pt 7 ps 0.79*mark, \
  $data35 using 1:2 with points lc rgb '#8c4088c7' pt 7 ps 0.44*mark, \
  $data36 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#004088c7' lw 1.8 dt 1, \
  $data37 using 1:2 with points lc rgb '#004088c7' pt 7 ps 0.79*mark

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
set label 2 "workload churn, protocol simple, 8 connections, shared_buffers=64MB; median of 5 to 6 valid repetitions" at 7.80,35.02 left font plain(11.05) tc rgb '#00767a80'
set label 3 "throughput [tx/s] (higher is better)" at 7.80,57.85 left font plain(13.00) tc rgb '#00222428'
set label 4 "0" at 109.95,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 5 "1,000" at 215.02,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 6 "2,000" at 320.08,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 7 "3,000" at 425.15,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 8 "4,000" at 530.21,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 9 "5,000" at 635.27,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 10 "6,000" at 740.34,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 11 "7,000" at 845.40,386.91 center font plain(11.05) tc rgb '#00767a80'
set label 12 "run 20261129T105741-models; 2026-11-29; connbench 0.1.0 (7a4b4e11aa+); 2 CPUs AMD EPYC; Linux 6.18.44-fc-v782" at 7.80,409.74 left font plain(11.05) tc rgb '#00767a80'
$data38 << EOD
102.15 81.66
EOD
$data39 << EOD
952.20 81.66
EOD
$data40 << EOD
102.15 105.22
EOD
$data41 << EOD
952.20 105.22
EOD
$data42 << EOD
102.15 128.78
EOD
$data43 << EOD
952.20 128.78
EOD
$data44 << EOD
102.15 152.34
EOD
$data45 << EOD
952.20 152.34
EOD
$data46 << EOD
102.15 175.91
EOD
$data47 << EOD
952.20 175.91
EOD
$data48 << EOD
102.15 199.47
EOD
$data49 << EOD
952.20 199.47
EOD
$data50 << EOD
102.15 223.03
EOD
$data51 << EOD
952.20 223.03
EOD
$data52 << EOD
102.15 246.59
EOD
$data53 << EOD
952.20 246.59
EOD
$data54 << EOD
102.15 270.16
EOD
$data55 << EOD
952.20 270.16
EOD
$data56 << EOD
102.15 293.72
EOD
$data57 << EOD
952.20 293.72
EOD
$data58 << EOD
102.15 317.28
EOD
$data59 << EOD
952.20 317.28
EOD
$data60 << EOD
102.15 340.84
EOD
$data61 << EOD
952.20 340.84
EOD
$data62 << EOD
102.15 364.41
EOD
$data63 << EOD
952.20 364.41
EOD
plot $data38 using 1:2:("reactor-uring") with labels right font plain(13.00) tc rgb '#00222428', \
  $data39 using 1:2:("6,395 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data40 using 1:2:("pool-tx-thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data41 using 1:2:("6,374 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data42 using 1:2:("thread-cached") with labels right font plain(13.00) tc rgb '#00222428', \
  $data43 using 1:2:("5,913 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data44 using 1:2:("thread-pool") with labels right font plain(13.00) tc rgb '#00222428', \
  $data45 using 1:2:("5,868 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data46 using 1:2:("pool-tx") with labels right font plain(13.00) tc rgb '#00222428', \
  $data47 using 1:2:("5,855 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data48 using 1:2:("fdpass") with labels right font plain(13.00) tc rgb '#00222428', \
  $data49 using 1:2:("5,755 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data50 using 1:2:("reactor") with labels right font plain(13.00) tc rgb '#00222428', \
  $data51 using 1:2:("5,738 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data52 using 1:2:("hybrid") with labels right font plain(13.00) tc rgb '#00222428', \
  $data53 using 1:2:("5,302 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data54 using 1:2:("prefork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data55 using 1:2:("5,159 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data56 using 1:2:("poco") with labels right font plain(13.00) tc rgb '#00222428', \
  $data57 using 1:2:("4,893 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data58 using 1:2:("thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data59 using 1:2:("4,530 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data60 using 1:2:("fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data61 using 1:2:("1,144 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data62 using 1:2:("fork-exec") with labels right font plain(13.00) tc rgb '#00222428', \
  $data63 using 1:2:("287 tx/s") with labels right font plain(11.05) tc rgb '#00222428'
unset multiplot
unset output
