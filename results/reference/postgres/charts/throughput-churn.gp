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
set rmargin at screen 0.921882
set tmargin at screen 0.731250
set bmargin at screen 0.187500
set logscale x
set xrange [182.47653928571427:7114.9356880000005]
unset logscale y
set yrange [5.5:-0.5]
$data1 << EOD
200 -0.5 200 5.5
500 -0.5 500 5.5
1000 -0.5 1000 5.5
2000 -0.5 2000 5.5
5000 -0.5 5000 5.5
EOD
$data2 << EOD
5744.64286 0 0 0
5544.13567 0 0 0
6352.62115 0 0 0
5918.407089 0 0 0
5668.606021 0 0 0
5873.674972 0 0 0
EOD
$data3 << EOD
5544.13567 0 6352.62115 0
EOD
$data4 << EOD
5809.158916 0 0 0
EOD
$data5 << EOD
6116.779191 1 0 0
5360.077854 1 0 0
6157.471028 1 0 0
5063.155704 1 0 0
5804.569569 1 0 0
5695.781529 1 0 0
EOD
$data6 << EOD
5063.155704 1 6157.471028 1
EOD
$data7 << EOD
5750.175549 1 0 0
EOD
$data8 << EOD
5835.289235 2 0 0
4948.691075 2 0 0
4936.904349 2 0 0
4558.26158 2 0 0
5024.493927 2 0 0
5352.175863 2 0 0
EOD
$data9 << EOD
4558.26158 2 5835.289235 2
EOD
$data10 << EOD
4986.592501 2 0 0
EOD
$data11 << EOD
5064.797802 3 0 0
4630.84248 3 0 0
4279.858712 3 0 0
4480.060833 3 0 0
4119.968652 3 0 0
4635.041646 3 0 0
EOD
$data12 << EOD
4119.968652 3 5064.797802 3
EOD
$data13 << EOD
4555.451656499999 3 0 0
EOD
$data14 << EOD
1144.413814 4 0 0
1253.830224 4 0 0
1043.141837 4 0 0
997.960068 4 0 0
1192.565547 4 0 0
1086.1447 4 0 0
EOD
$data15 << EOD
997.960068 4 1253.830224 4
EOD
$data16 << EOD
1115.2792570000001 4 0 0
EOD
$data17 << EOD
237.487477 5 0 0
208.911377 5 0 0
236.70469 5 0 0
248.216882 5 0 0
204.373724 5 0 0
227.275047 5 0 0
EOD
$data18 << EOD
204.373724 5 248.216882 5
EOD
$data19 << EOD
231.9898685 5 0 0
EOD
plot $data1 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data2 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data3 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00629993' lw 1.8 dt 1, \
  $data4 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark, \
  $data5 using 1:2 with points lc rgb '#8cb88d00' pt 7 ps 0.44*mark, \
  $data6 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00b88d00' lw 1.8 dt 1, \
  $data7 using 1:2 with points lc rgb '#00b88d00' pt 7 ps 0.79*mark, \
  $data8 using 1:2 with points lc rgb '#8cb88d00' pt 7 ps 0.44*mark, \
  $data9 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00b88d00' lw 1.8 dt 1, \
  $data10 using 1:2 with points lc rgb '#00b88d00' pt 7 ps 0.79*mark, \
  $data11 using 1:2 with points lc rgb '#8c826334' pt 7 ps 0.44*mark, \
  $data12 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00826334' lw 1.8 dt 1, \
  $data13 using 1:2 with points lc rgb '#00826334' pt 7 ps 0.79*mark, \
  $data14 using 1:2 with points lc rgb '#8c4088c7' pt 7 ps 0.44*mark, \
  $data15 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#004088c7' lw 1.8 dt 1, \
  $data16 using 1:2 with points lc rgb '#004088c7' pt 7 ps 0.79*mark, \
  $data17 using 1:2 with points lc rgb '#8cb88d00' pt 7 ps 0.44*mark, \
  $data18 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00b88d00' lw 1.8 dt 1, \
  $data19 using 1:2 with points lc rgb '#00b88d00' pt 7 ps 0.79*mark

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
set label 2 "workload churn, protocol simple, 8 connections, shared_buffers=128MB; median of 6 valid repetitions" at 7.80,35.02 left font plain(11.05) tc rgb '#00767a80'
set label 3 "throughput [tx/s] (higher is better)" at 7.80,57.85 left font plain(13.00) tc rgb '#00222428'
set label 4 "200" at 170.96,221.97 center font plain(11.05) tc rgb '#00767a80'
set label 5 "500" at 354.15,221.97 center font plain(11.05) tc rgb '#00767a80'
set label 6 "1,000" at 492.72,221.97 center font plain(11.05) tc rgb '#00767a80'
set label 7 "2,000" at 631.30,221.97 center font plain(11.05) tc rgb '#00767a80'
set label 8 "5,000" at 814.48,221.97 center font plain(11.05) tc rgb '#00767a80'
set label 9 "run 20261129T104842-postgres; 2026-11-29; connbench 0.1.0 (7a4b4e11aa+); 2 CPUs AMD EPYC; Linux 6.18.44-fc-v782" at 7.80,244.81 left font plain(11.05) tc rgb '#00767a80'
$data20 << EOD
144.83 81.66
EOD
$data21 << EOD
952.20 81.66
EOD
$data22 << EOD
144.83 105.22
EOD
$data23 << EOD
952.20 105.22
EOD
$data24 << EOD
144.83 128.78
EOD
$data25 << EOD
952.20 128.78
EOD
$data26 << EOD
144.83 152.34
EOD
$data27 << EOD
952.20 152.34
EOD
$data28 << EOD
144.83 175.91
EOD
$data29 << EOD
952.20 175.91
EOD
$data30 << EOD
144.83 199.47
EOD
$data31 << EOD
952.20 199.47
EOD
plot $data20 using 1:2:("thread-pool") with labels right font plain(13.00) tc rgb '#00222428', \
  $data21 using 1:2:("5,809 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data22 using 1:2:("pgbouncer+fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data23 using 1:2:("5,750 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data24 using 1:2:("pgbouncer+postgres") with labels right font plain(13.00) tc rgb '#00222428', \
  $data25 using 1:2:("4,987 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data26 using 1:2:("thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data27 using 1:2:("4,555 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data28 using 1:2:("fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data29 using 1:2:("1,115 tx/s") with labels right font plain(11.05) tc rgb '#00222428', \
  $data30 using 1:2:("postgres") with labels right font plain(13.00) tc rgb '#00222428', \
  $data31 using 1:2:("232 tx/s") with labels right font plain(11.05) tc rgb '#00222428'
unset multiplot
unset output
