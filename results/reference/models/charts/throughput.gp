set terminal svg size 960,560 dynamic noenhanced font 'DejaVu Sans,14' background 'white' linewidth 1.3
set output "results/reference/models/charts/throughput.svg"
set title "Throughput against connections"."\n"."workload steady, medians and range of 3 valid repetitions"
set xlabel "connections"
set ylabel "transactions per second"
set border 3 lw 1 lc rgb '#444444'
set tics nomirror
set grid y lc rgb '#dddddd' lw 1
set key outside right center vertical samplen 3 spacing 1.4
set style fill pattern border
set format y "%'.10g"
set decimalsign locale "C"
set yrange [0:*]
set logscale x
set grid x lc rgb '#dddddd' lw 1
set xtics ("8" 8, "64" 64, "256" 256, "1000" 1000)
$series0 << EOD
8 111135 98470 114499
64 127175 121495 130690
256 116788 113685 119498
1000 83771 81668 86410
EOD
$series1 << EOD
8 89739 72177 92048
64 72571 71299 94371
256 49672 47674 52533
1000 39149 32493 39405
EOD
$series2 << EOD
8 83797 83152 88132
64 72542 57685 75209
256 44067 40142 48952
1000 34541 30189 36077
EOD
$series3 << EOD
8 94113 92941 94574
64 101329 94166 104953
256 67166 49401 73230
1000 54253 53229 56301
EOD
$series4 << EOD
8 88998 84357 95145
64 101965 92547 103617
256 68039 62529 68497
1000 50400 48877 51181
EOD
$series5 << EOD
8 45881 45609 48701
64 52290 49234 53181
256 45210 44307 46225
1000 43220 41640 46141
EOD
$series6 << EOD
8 49392 46034 49651
64 50590 45303 52197
256 42294 39128 48074
1000 44195 37203 44738
EOD
$series7 << EOD
8 85142 76468 87728
64 94576 94194 96382
256 48179 44739 50138
1000 40173 35053 43757
EOD
$series8 << EOD
8 108871 108142 113913
64 126770 120516 128377
256 114452 109387 115993
1000 90287 82949 100243
EOD
$series9 << EOD
8 90113 86932 104933
64 122751 116939 136344
256 101975 97805 126603
1000 96903 93175 101557
EOD
$series10 << EOD
8 91645 91189 94859
64 104334 99634 106851
256 58482 57058 59564
1000 48621 46546 51904
EOD
$series11 << EOD
8 93863 92168 95220
64 105178 98836 106378
256 63392 58326 68713
1000 54967 50669 76476
EOD
$series12 << EOD
8 115809 110800 120989
64 115579 104407 120501
256 95297 91562 97382
1000 73811 72929 96761
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
