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
8 708.095 154.623 725.503
64 1147.903 987.135 4308.991
256 5869.567 5382.143 6033.407
1000 25411.583 23937.023 27901.951
EOD
$series1 << EOD
8 184.447 171.903 210.175
64 1681.407 1267.711 1751.039
256 9641.983 8896.511 11214.847
1000 42958.847 36896.767 70123.519
EOD
$series2 << EOD
8 188.543 171.903 200.831
64 1857.535 1666.047 1984.511
256 11001.855 9764.863 13099.007
1000 48988.159 37978.111 53510.143
EOD
$series3 << EOD
8 185.087 169.471 186.879
64 1100.799 1062.911 1275.903
256 6729.727 5668.863 9412.607
1000 23117.823 22577.151 23396.351
EOD
$series4 << EOD
8 193.919 162.431 205.183
64 1125.375 1102.847 1356.799
256 6836.223 6275.071 6877.183
1000 27557.887 24412.159 28557.311
EOD
$series5 << EOD
8 337.919 291.839 343.807
64 1923.071 1912.831 2034.687
256 8699.903 7856.127 9379.839
1000 35454.975 27508.735 37257.215
EOD
$series6 << EOD
8 294.143 281.343 342.783
64 2164.735 1927.167 2447.359
256 11403.263 9461.759 11526.143
1000 32358.399 30375.935 44761.087
EOD
$series7 << EOD
8 199.935 194.943 211.839
64 1238.015 1233.919 1552.383
256 10387.455 9838.591 13393.919
1000 34734.079 31375.359 38895.615
EOD
$series8 << EOD
8 249.855 161.535 334.079
64 4296.703 1432.575 4321.279
256 5976.063 5591.039 6094.847
1000 23691.263 20660.223 25378.815
EOD
$series9 << EOD
8 416.767 286.463 476.415
64 1499.135 1261.567 3778.559
256 6397.951 6070.271 6537.215
1000 21233.663 21118.975 22560.767
EOD
$series10 << EOD
8 173.567 167.039 173.951
64 1107.967 1085.439 1153.023
256 8265.727 7032.831 8650.751
1000 25755.647 22527.999 36438.015
EOD
$series11 << EOD
8 165.375 163.711 172.287
64 1088.511 1077.247 1156.095
256 7028.735 5705.727 7540.735
1000 30572.543 27426.815 38535.167
EOD
$series12 << EOD
8 115.071 101.055 121.087
64 895.999 807.423 1212.415
256 5156.863 3878.911 5955.583
1000 18120.703 17465.343 19234.815
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
