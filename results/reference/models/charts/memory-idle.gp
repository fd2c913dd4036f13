# Draw it again: gnuplot -e 'format="pdf"' memory-idle.gp
if (!exists("format")) format = "svg"
if (format eq "svg") { set terminal svg size 960,486 dynamic noenhanced font "DejaVu Sans,12" background '#ffffff'; scale = 1.0; mark = 0.72 }
if (format eq "png") { set terminal pngcairo size 1920,972 noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 2 pointscale 2 fontscale 1; scale = 1.5; mark = 1.0 }
if (format eq "pdf") { set terminal pdfcairo size 10.0000in,5.0625in noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 0.75 pointscale 0.75 fontscale 1; scale = 0.5625; mark = 1.0 }
set output "memory-idle".".".format
plain(px) = "DejaVu Sans".sprintf(",%.2f", px * scale)
bold(px) = "DejaVu Sans Bold".sprintf(",%.2f", px * scale)
unset key
unset border
unset tics
set multiplot

set lmargin at screen 0.114535
set rmargin at screen 0.853084
set tmargin at screen 0.814763
set bmargin at screen 0.281456
unset logscale x
set xrange [0:54.96325744]
unset logscale y
set yrange [10.5:-0.5]
$data1 << EOD
0 -0.5 0 10.5
10 -0.5 10 10.5
20 -0.5 20 10.5
30 -0.5 30 10.5
40 -0.5 40 10.5
50 -0.5 50 10.5
EOD
$data2 << EOD
0 -0.32 1.718 0.32
EOD
$data3 << EOD
1.718 -0.32 6.096 0.32
EOD
$data4 << EOD
4.797728 0 7.379426 0
EOD
$data5 << EOD
0 0.6799999999999999 1.8005 1.32
EOD
$data6 << EOD
1.8005 0.6799999999999999 1.8185 1.32
EOD
$data7 << EOD
1.8185 0.6799999999999999 6.5685 1.32
EOD
$data8 << EOD
5.127536 1 8.30614 1
EOD
$data9 << EOD
0 1.68 2.324 2.32
EOD
$data10 << EOD
2.324 1.68 6.624 2.32
EOD
$data11 << EOD
4.452386 2 8.830039 2
EOD
$data12 << EOD
0 2.68 2.07 3.32
EOD
$data13 << EOD
2.07 2.68 2.0759999999999996 3.32
EOD
$data14 << EOD
2.0759999999999996 2.68 6.877999999999999 3.32
EOD
$data15 << EOD
5.488341 3 8.287659 3
EOD
$data16 << EOD
0 3.68 2.274 4.32
EOD
$data17 << EOD
2.274 3.68 2.285 4.32
EOD
$data18 << EOD
2.285 3.68 6.695 4.32
EOD
$data19 << EOD
6.695 3.68 7.979 4.32
EOD
$data20 << EOD
5.406074 4 8.507429 4
EOD
$data21 << EOD
0 4.68 6.226 5.32
EOD
$data22 << EOD
6.226 4.68 6.258 5.32
EOD
$data23 << EOD
6.258 4.68 10.674 5.32
EOD
$data24 << EOD
8.867139 5 13.030822 5
EOD
$data25 << EOD
0 5.68 11.904 6.32
EOD
$data26 << EOD
11.904 5.68 12 6.32
EOD
$data27 << EOD
12 5.68 16.546 6.32
EOD
$data28 << EOD
15.538421 6 17.529579 6
EOD
$data29 << EOD
0 6.68 27.7955 7.32
EOD
$data30 << EOD
27.7955 6.68 43.7715 7.32
EOD
$data31 << EOD
43.7715 6.68 48.4495 7.32
EOD
$data32 << EOD
38.127607 7 47.730649 7
EOD
$data33 << EOD
0 7.68 20.354 8.32
EOD
$data34 << EOD
20.354 7.68 22.46 8.32
EOD
$data35 << EOD
22.46 7.68 38.46 8.32
EOD
$data36 << EOD
38.46 7.68 48.552 8.32
EOD
$data37 << EOD
45.764562 8 51.341773 8
EOD
$data38 << EOD
0 8.68 20.326 9.32
EOD
$data39 << EOD
20.326 8.68 22.438000000000002 9.32
EOD
$data40 << EOD
22.438000000000002 8.68 38.414 9.32
EOD
$data41 << EOD
38.414 8.68 48.86 9.32
EOD
$data42 << EOD
45.981009 9 51.750991 9
EOD
$data43 << EOD
0 9.68 21.452 10.32
EOD
$data44 << EOD
21.452 9.68 23.548000000000002 10.32
EOD
$data45 << EOD
23.548000000000002 9.68 39.548 10.32
EOD
$data46 << EOD
39.548 9.68 49.828 10.32
EOD
$data47 << EOD
47.16543 10 52.849286 10
EOD
plot $data1 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data2 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data3 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data4 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data5 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data6 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data7 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data8 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data9 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data10 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data11 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data12 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data13 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data14 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data15 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data16 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data17 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data18 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data19 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#005e6871', \
  $data20 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data21 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data22 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data23 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data24 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data25 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data26 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data27 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data28 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data29 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data30 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data31 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data32 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data33 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data34 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data35 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data36 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data37 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data38 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data39 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data40 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data41 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data42 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data43 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data44 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data45 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data46 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data47 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1

set lmargin at screen 0.114535
set rmargin at screen 0.853084
set tmargin at screen 0.198200
set bmargin at screen 0.101235
unset logscale x
set xrange [0:1145.3994968]
unset logscale y
set yrange [1.5:-0.5]
$data48 << EOD
0 -0.5 0 1.5
204.8 -0.5 204.8 1.5
409.6 -0.5 409.6 1.5
614.4000000000001 -0.5 614.4000000000001 1.5
819.2 -0.5 819.2 1.5
1024 -0.5 1024 1.5
EOD
$data49 << EOD
0 -0.32 74.6075 0.32
EOD
$data50 << EOD
74.6075 -0.32 154.60750000000002 0.32
EOD
$data51 << EOD
154.60750000000002 -0.32 170.60750000000002 0.32
EOD
$data52 << EOD
170.60750000000002 -0.32 210.09150000000002 0.32
EOD
$data53 << EOD
199.40269 0 217.839669 0
EOD
$data54 << EOD
0 0.6799999999999999 958.7575 1.32
EOD
$data55 << EOD
958.7575 0.6799999999999999 1045.4695000000002 1.32
EOD
$data56 << EOD
1045.4695000000002 0.6799999999999999 1061.4695000000002 1.32
EOD
$data57 << EOD
1061.4695000000002 0.6799999999999999 1093.5335000000002 1.32
EOD
$data58 << EOD
1085.532424 1 1101.34567 1
EOD
plot $data48 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data49 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data50 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data51 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data52 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data53 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data54 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data55 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data56 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data57 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data58 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1

# Words and leaders, in pixels.
set lmargin at screen 0.000000
set rmargin at screen 1.000000
set tmargin at screen 1.000000
set bmargin at screen 0.000000
unset logscale x
set xrange [0:960]
unset logscale y
set yrange [486:0]
set label 1 "Memory of one connection" at 7.80,17.96 left font bold(16.25) tc rgb '#00222428'
set label 2 "workload idle, protocol prepared, 400 connections, shared_buffers=64MB; median of 3 valid repetitions" at 7.80,35.02 left font plain(11.05) tc rgb '#00767a80'
set label 3 "memory per connection, growth over connection counts (lower is better)" at 7.80,57.85 left font plain(13.00) tc rgb '#00222428'
set label 4 "private memory" at 23.40,74.10 left font plain(13.00) tc rgb '#00222428'
set label 5 "page tables" at 159.02,74.10 left font plain(13.00) tc rgb '#00222428'
set label 6 "kernel stacks" at 266.53,74.10 left font plain(13.00) tc rgb '#00222428'
set label 7 "kernel objects" at 383.86,74.10 left font plain(13.00) tc rgb '#00222428'
set label 8 "socket buffers" at 506.75,74.10 left font plain(13.00) tc rgb '#00222428'
set label 9 "0" at 109.95,359.94 center font plain(11.05) tc rgb '#00767a80'
set label 10 "10 kB" at 238.95,359.94 center font plain(11.05) tc rgb '#00767a80'
set label 11 "20 kB" at 367.95,359.94 center font plain(11.05) tc rgb '#00767a80'
set label 12 "30 kB" at 496.94,359.94 center font plain(11.05) tc rgb '#00767a80'
set label 13 "40 kB" at 625.94,359.94 center font plain(11.05) tc rgb '#00767a80'
set label 14 "50 kB" at 754.94,359.94 center font plain(11.05) tc rgb '#00767a80'
set label 15 "On a scale of their own:" at 7.80,382.77 left font plain(11.05) tc rgb '#00767a80'
set label 16 "0" at 109.95,447.52 center font plain(11.05) tc rgb '#00767a80'
set label 17 "0.2 MB" at 236.73,447.52 center font plain(11.05) tc rgb '#00767a80'
set label 18 "0.4 MB" at 363.50,447.52 center font plain(11.05) tc rgb '#00767a80'
set label 19 "0.6 MB" at 490.27,447.52 center font plain(11.05) tc rgb '#00767a80'
set label 20 "0.8 MB" at 617.04,447.52 center font plain(11.05) tc rgb '#00767a80'
set label 21 "1 MB" at 743.81,447.52 center font plain(11.05) tc rgb '#00767a80'
set label 22 "run 20261121T204728-models; 2026-11-21; connbench 0.1.0 (b521069f8d+); 2 CPUs AMD EPYC; Linux 6.18.44-fc-v669" at 7.80,470.36 left font plain(11.05) tc rgb '#00767a80'
$data59 << EOD
7.8 68.25 19.5 79.94999999999999
EOD
$data60 << EOD
143.416 68.25 155.11599999999999 79.94999999999999
EOD
$data61 << EOD
250.926 68.25 262.626 79.94999999999999
EOD
$data62 << EOD
368.264 68.25 379.964 79.94999999999999
EOD
$data63 << EOD
491.153 68.25 502.853 79.94999999999999
EOD
$data64 << EOD
102.15 101.81
EOD
$data65 << EOD
952.20 101.81
EOD
$data66 << EOD
102.15 125.37
EOD
$data67 << EOD
952.20 125.37
EOD
$data68 << EOD
102.15 148.93
EOD
$data69 << EOD
952.20 148.93
EOD
$data70 << EOD
102.15 172.49
EOD
$data71 << EOD
952.20 172.49
EOD
$data72 << EOD
102.15 196.06
EOD
$data73 << EOD
952.20 196.06
EOD
$data74 << EOD
102.15 219.62
EOD
$data75 << EOD
952.20 219.62
EOD
$data76 << EOD
102.15 243.18
EOD
$data77 << EOD
952.20 243.18
EOD
$data78 << EOD
102.15 266.74
EOD
$data79 << EOD
952.20 266.74
EOD
$data80 << EOD
102.15 290.31
EOD
$data81 << EOD
952.20 290.31
EOD
$data82 << EOD
102.15 313.87
EOD
$data83 << EOD
952.20 313.87
EOD
$data84 << EOD
102.15 337.43
EOD
$data85 << EOD
952.20 337.43
EOD
$data86 << EOD
102.15 401.46
EOD
$data87 << EOD
952.20 401.46
EOD
$data88 << EOD
102.15 425.02
EOD
$data89 << EOD
952.20 425.02
EOD
plot $data59 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data60 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data61 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data62 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data63 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#005e6871', \
  $data64 using 1:2:("pool-tx-thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data65 using 1:2:("6.1 kB (RSS 1.78 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data66 using 1:2:("fdpass") with labels right font plain(13.00) tc rgb '#00222428', \
  $data67 using 1:2:("6.57 kB (RSS 5.55 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data68 using 1:2:("thread-pool") with labels right font plain(13.00) tc rgb '#00222428', \
  $data69 using 1:2:("6.62 kB (RSS 2.58 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data70 using 1:2:("reactor") with labels right font plain(13.00) tc rgb '#00222428', \
  $data71 using 1:2:("6.88 kB (RSS 2.34 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data72 using 1:2:("pool-tx") with labels right font plain(13.00) tc rgb '#00222428', \
  $data73 using 1:2:("7.98 kB (RSS 1.79 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data74 using 1:2:("reactor-uring") with labels right font plain(13.00) tc rgb '#00222428', \
  $data75 using 1:2:("10.7 kB (RSS 6.61 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data76 using 1:2:("hybrid") with labels right font plain(13.00) tc rgb '#00222428', \
  $data77 using 1:2:("16.5 kB (RSS 14 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data78 using 1:2:("prefork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data79 using 1:2:("48.4 kB (RSS 944 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data80 using 1:2:("thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data81 using 1:2:("48.6 kB (RSS 20.6 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data82 using 1:2:("thread-cached") with labels right font plain(13.00) tc rgb '#00222428', \
  $data83 using 1:2:("48.9 kB (RSS 20.6 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data84 using 1:2:("poco") with labels right font plain(13.00) tc rgb '#00222428', \
  $data85 using 1:2:("49.8 kB (RSS 21.7 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data86 using 1:2:("fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data87 using 1:2:("210 kB (RSS 3.09 MB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data88 using 1:2:("fork-exec") with labels right font plain(13.00) tc rgb '#00222428', \
  $data89 using 1:2:("1.07 MB (RSS 6.8 MB)") with labels right font plain(11.05) tc rgb '#00222428'
unset multiplot
unset output
