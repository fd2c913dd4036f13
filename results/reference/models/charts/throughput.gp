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
8 103382 102128 107925
64 128444 105733 129764
256 108941 100920 111115
1000 99663 91907 107357
EOD
$series1 << EOD
8 76956 76015 76993
64 80251 73898 87651
256 57200 49572 62884
1000 43271 36845 44269
EOD
$series2 << EOD
8 89885 88537 95852
64 79780 78885 79888
256 45346 41699 55249
1000 32425 29165 37869
EOD
$series3 << EOD
8 93722 78571 94184
64 103643 88437 108178
256 66878 64627 72583
1000 49901 47597 54765
EOD
$series4 << EOD
8 90950 73023 95271
64 97829 83658 111692
256 75109 73792 83642
1000 51949 46793 53997
EOD
$series5 << EOD
8 50363 48734 50713
64 49638 49242 54343
256 47225 46373 47443
1000 41973 40538 43583
EOD
$series6 << EOD
8 46410 42002 47785
64 53764 41106 54197
256 46932 43980 50333
1000 44002 39970 46486
EOD
$series7 << EOD
8 89936 77603 91496
64 96712 96044 98024
256 56781 55852 63425
1000 38125 37613 42733
EOD
$series8 << EOD
8 99107 92650 128655
64 125751 124270 127365
256 119395 114961 122607
1000 99796 94661 100403
EOD
$series9 << EOD
8 108115 105191 113745
64 136309 117256 138625
256 141723 136185 149775
1000 126947 120030 127569
EOD
$series10 << EOD
8 75052 73484 95288
64 104645 94309 105701
256 75927 66645 82219
1000 53997 50413 61165
EOD
$series11 << EOD
8 77571 75792 93815
64 108560 84424 108758
256 78573 67953 84399
1000 56557 48365 60653
EOD
$series12 << EOD
8 123513 100863 128525
64 122064 118502 126607
256 92278 90804 107631
1000 89708 87232 95765
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
