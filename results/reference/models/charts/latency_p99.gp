set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/models/charts/latency_p99.svg"
set title "99th percentile of latency against connections"."\n"."workload steady, medians and range of 3 valid repetitions"
set xlabel "connections"
set ylabel "latency p99 (us)"
set border 3 lw 1 lc rgb '#444444'
set tics nomirror
set grid y lc rgb '#dddddd' lw 1
set key outside right center vertical samplen 3 spacing 1.4
set style fill pattern border
set format y "%'.10g"
set decimalsign locale "C"
set logscale y
set logscale x
set grid x lc rgb '#dddddd' lw 1
set xtics ("8" 8, "64" 64, "256" 256, "1000" 1000)
$series0 << EOD
8 147.839 142.847 611.327
64 4292.607 1131.519 4354.047
256 6426.623 6336.511 6643.711
1000 18268.159 17530.879 23363.583
EOD
$series1 << EOD
8 217.983 205.439 226.559
64 1532.927 1270.783 1542.143
256 8503.295 8036.351 10452.991
1000 42270.719 41680.895 47808.511
EOD
$series2 << EOD
8 180.863 176.767 184.447
64 1647.615 1571.839 1800.191
256 11902.975 10813.439 24494.079
1000 38731.775 32260.095 45809.663
EOD
$series3 << EOD
8 174.591 165.759 202.495
64 1098.751 1068.031 1399.807
256 6275.071 5799.935 6823.935
1000 27181.055 23281.663 28868.607
EOD
$series4 << EOD
8 203.135 162.559 228.223
64 1100.799 1026.047 1360.895
256 5787.647 4542.463 6197.247
1000 25034.751 21970.943 27918.335
EOD
$series5 << EOD
8 277.759 273.663 317.439
64 2034.687 2016.255 2527.231
256 9527.295 8380.415 9879.551
1000 35946.495 34078.719 42762.239
EOD
$series6 << EOD
8 333.055 311.807 342.271
64 1802.239 1728.511 2369.535
256 8626.175 7491.583 10092.543
1000 39944.191 34275.327 43515.903
EOD
$series7 << EOD
8 172.159 165.631 212.991
64 1188.863 1184.767 1239.039
256 8839.167 7651.327 10838.015
1000 39878.655 35258.367 40173.567
EOD
$series8 << EOD
8 153.983 116.671 393.215
64 4317.183 4239.359 4333.567
256 6057.983 6041.599 6074.367
1000 18808.831 16523.263 20086.783
EOD
$series9 << EOD
8 362.239 173.823 394.495
64 1026.047 969.727 1197.055
256 5046.271 4857.855 5119.999
1000 16646.143 15884.287 17776.639
EOD
$series10 << EOD
8 221.567 181.759 230.527
64 1099.775 1065.983 1259.519
256 5382.143 4980.735 7081.983
1000 25051.135 23609.343 25673.727
EOD
$series11 << EOD
8 205.439 168.191 208.383
64 1043.455 1039.359 1330.175
256 5095.423 5066.751 5980.159
1000 25657.343 20398.079 27852.799
EOD
$series12 << EOD
8 109.951 107.455 136.575
64 895.487 794.111 991.231
256 4939.775 3434.495 5017.599
1000 17907.711 13844.479 20152.319
EOD
plot $series0 using 1:2:3:4 with yerrorbars notitle lc rgb '#0072B2' pt 7, $series0 using 1:2 with linespoints title "fdpass" lc rgb '#0072B2' dt 1 lw 2 pt 7 ps 1.1, \
  $series1 using 1:2:3:4 with yerrorbars notitle lc rgb '#D55E00' pt 5, $series1 using 1:2 with linespoints title "fork" lc rgb '#D55E00' dt 2 lw 2 pt 5 ps 1.1, \
  $series2 using 1:2:3:4 with yerrorbars notitle lc rgb '#009E73' pt 9, $series2 using 1:2 with linespoints title "fork-exec" lc rgb '#009E73' dt 4 lw 2 pt 9 ps 1.1, \
  $series3 using 1:2:3:4 with yerrorbars notitle lc rgb '#CC79A7' pt 13, $series3 using 1:2 with linespoints title "hybrid" lc rgb '#CC79A7' dt 5 lw 2 pt 13 ps 1.1, \
  $series4 using 1:2:3:4 with yerrorbars notitle lc rgb '#56B4E9' pt 11, $series4 using 1:2 with linespoints title "poco" lc rgb '#56B4E9' dt 3 lw 2 pt 11 ps 1.1, \
  $series5 using 1:2:3:4 with yerrorbars notitle lc rgb '#E69F00' pt 4, $series5 using 1:2 with linespoints title "pool-tx" lc rgb '#E69F00' dt 2 lw 2 pt 4 ps 1.1, \
  $series6 using 1:2:3:4 with yerrorbars notitle lc rgb '#000000' pt 6, $series6 using 1:2 with linespoints title "pool-tx-thread" lc rgb '#000000' dt 3 lw 2 pt 6 ps 1.1, \
  $series7 using 1:2:3:4 with yerrorbars notitle lc rgb '#999999' pt 8, $series7 using 1:2 with linespoints title "prefork" lc rgb '#999999' dt 1 lw 2 pt 8 ps 1.1, \
  $series8 using 1:2:3:4 with yerrorbars notitle lc rgb '#7A5195' pt 12, $series8 using 1:2 with linespoints title "reactor" lc rgb '#7A5195' dt 2 lw 2 pt 12 ps 1.1, \
  $series9 using 1:2:3:4 with yerrorbars notitle lc rgb '#8C6D31' pt 10, $series9 using 1:2 with linespoints title "reactor-uring" lc rgb '#8C6D31' dt 4 lw 2 pt 10 ps 1.1, \
  $series10 using 1:2:3:4 with yerrorbars notitle lc rgb '#8B0000' pt 1, $series10 using 1:2 with linespoints title "thread" lc rgb '#8B0000' dt 1 lw 2 pt 1 ps 1.1, \
  $series11 using 1:2:3:4 with yerrorbars notitle lc rgb '#006D77' pt 2, $series11 using 1:2 with linespoints title "thread-cached" lc rgb '#006D77' dt 5 lw 2 pt 2 ps 1.1, \
  $series12 using 1:2:3:4 with yerrorbars notitle lc rgb '#B5BD00' pt 3, $series12 using 1:2 with linespoints title "thread-pool" lc rgb '#B5BD00' dt 1 lw 2 pt 3 ps 1.1
