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
set rmargin at screen 0.849815
set tmargin at screen 0.814763
set bmargin at screen 0.281456
unset logscale x
set xrange [0:64.98699532]
unset logscale y
set yrange [10.5:-0.5]
$data1 << EOD
0 -0.5 0 10.5
10 -0.5 10 10.5
20 -0.5 20 10.5
30 -0.5 30 10.5
40 -0.5 40 10.5
50 -0.5 50 10.5
60 -0.5 60 10.5
EOD
$data2 << EOD
0 -0.32 1.4691871098363423 0.32
EOD
$data3 << EOD
1.4691871098363423 -0.32 1.4752083684832125 0.32
EOD
$data4 << EOD
1.4752083684832125 -0.32 5.9479999999999995 0.32
EOD
$data5 << EOD
4.687664 0 7.1399405 0
EOD
$data6 << EOD
0 0.6799999999999999 1.4571577608142492 1.32
EOD
$data7 << EOD
1.4571577608142492 0.6799999999999999 6.045 1.32
EOD
$data8 << EOD
4.305982 1 7.4257885 1
EOD
$data9 << EOD
0 1.68 1.4845168374816982 2.32
EOD
$data10 << EOD
1.4845168374816982 1.68 1.5085090287945337 2.32
EOD
$data11 << EOD
1.5085090287945337 1.68 6.145 2.32
EOD
$data12 << EOD
5.0953375 2 7.112493000000001 2
EOD
$data13 << EOD
0 2.68 1.7582085106382979 3.32
EOD
$data14 << EOD
1.7582085106382979 2.68 1.7633255319148935 3.32
EOD
$data15 << EOD
1.7633255319148935 2.68 6.253 3.32
EOD
$data16 << EOD
4.865615999999999 3 7.738199 3
EOD
$data17 << EOD
0 3.68 2.3726299098050623 4.32
EOD
$data18 << EOD
2.3726299098050623 3.68 2.3776228178644163 4.32
EOD
$data19 << EOD
2.3776228178644163 3.68 6.86425 4.32
EOD
$data20 << EOD
5.682206 4 8.149792999999999 4
EOD
$data21 << EOD
0 4.68 5.56644306049822 5.32
EOD
$data22 << EOD
5.56644306049822 4.68 5.598348161328588 5.32
EOD
$data23 << EOD
5.598348161328588 4.68 10.085999999999999 5.32
EOD
$data24 << EOD
8.5747795 5 11.3441525 5
EOD
$data25 << EOD
0 5.68 12.180077666761969 6.32
EOD
$data26 << EOD
12.180077666761969 5.68 12.270994500203141 6.32
EOD
$data27 << EOD
12.270994500203141 5.68 16.783500000000004 6.32
EOD
$data28 << EOD
15.6251405 6 17.737493999999998 6
EOD
$data29 << EOD
0 6.68 20.509886434854018 7.32
EOD
$data30 << EOD
20.509886434854018 6.68 22.61497741663605 7.32
EOD
$data31 << EOD
22.61497741663605 6.68 38.615668964623 7.32
EOD
$data32 << EOD
38.615668964623 6.68 46.275 7.32
EOD
$data33 << EOD
43.395388999999994 7 49.297938 7
EOD
$data34 << EOD
0 7.68 20.485807363013702 8.32
EOD
$data35 << EOD
20.485807363013702 7.68 22.597581335616443 8.32
EOD
$data36 << EOD
22.597581335616443 7.68 38.57187157534247 8.32
EOD
$data37 << EOD
38.57187157534247 7.68 46.715 8.32
EOD
$data38 << EOD
43.744772 8 49.3657115 8
EOD
$data39 << EOD
0 8.68 21.662459563810916 9.32
EOD
$data40 << EOD
21.662459563810916 8.68 23.761088594385892 9.32
EOD
$data41 << EOD
23.761088594385892 8.68 39.78880434102056 9.32
EOD
$data42 << EOD
39.78880434102056 8.68 47.998000000000005 9.32
EOD
$data43 << EOD
45.266791999999995 9 50.8197655 9
EOD
$data44 << EOD
0 9.68 37.03334235059243 10.32
EOD
$data45 << EOD
37.03334235059243 9.68 53.172700954819675 10.32
EOD
$data46 << EOD
53.172700954819675 9.68 58.191500000000005 10.32
EOD
$data47 << EOD
52.635327000000004 10 62.4874955 10
EOD
plot $data1 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data2 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data3 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data4 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data5 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data6 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data7 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data8 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data9 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data10 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data11 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data12 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data13 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data14 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data15 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data16 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data17 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data18 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data19 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
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
  $data31 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data32 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data33 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data34 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data35 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data36 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data37 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data38 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data39 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data40 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data41 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data42 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data43 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data44 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data45 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data46 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data47 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1

set lmargin at screen 0.114535
set rmargin at screen 0.849815
set tmargin at screen 0.198200
set bmargin at screen 0.101235
unset logscale x
set xrange [0:1178.2880844800002]
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
0 -0.32 83.01513404223539 0.32
EOD
$data50 << EOD
83.01513404223539 -0.32 167.2280463823077 0.32
EOD
$data51 << EOD
167.2280463823077 -0.32 183.26860111375004 0.32
EOD
$data52 << EOD
183.26860111375004 -0.32 219.815 0.32
EOD
$data53 << EOD
208.74516 0 231.3823315 0
EOD
$data54 << EOD
0 0.6799999999999999 991.7766581297416 1.32
EOD
$data55 << EOD
991.7766581297416 0.6799999999999999 1079.9925875857887 1.32
EOD
$data56 << EOD
1079.9925875857887 0.6799999999999999 1095.9815186923822 1.32
EOD
$data57 << EOD
1095.9815186923822 0.6799999999999999 1123.0927499999998 1.32
EOD
$data58 << EOD
1112.952188 1 1132.9693120000002 1
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
set label 2 "workload idle, protocol prepared, 400 connections, shared_buffers=64MB; median of 6 valid repetitions" at 7.80,35.02 left font plain(11.05) tc rgb '#00767a80'
set label 3 "memory per connection, growth over connection counts (lower is better)" at 7.80,57.85 left font plain(13.00) tc rgb '#00222428'
set label 4 "private memory" at 23.40,74.10 left font plain(13.00) tc rgb '#00222428'
set label 5 "page tables" at 159.02,74.10 left font plain(13.00) tc rgb '#00222428'
set label 6 "kernel stacks" at 266.53,74.10 left font plain(13.00) tc rgb '#00222428'
set label 7 "kernel objects" at 383.86,74.10 left font plain(13.00) tc rgb '#00222428'
set label 8 "socket buffers" at 506.75,74.10 left font plain(13.00) tc rgb '#00222428'
set label 9 "0" at 109.95,359.94 center font plain(11.05) tc rgb '#00767a80'
set label 10 "10 kB" at 218.57,359.94 center font plain(11.05) tc rgb '#00767a80'
set label 11 "20 kB" at 327.19,359.94 center font plain(11.05) tc rgb '#00767a80'
set label 12 "30 kB" at 435.80,359.94 center font plain(11.05) tc rgb '#00767a80'
set label 13 "40 kB" at 544.42,359.94 center font plain(11.05) tc rgb '#00767a80'
set label 14 "50 kB" at 653.04,359.94 center font plain(11.05) tc rgb '#00767a80'
set label 15 "60 kB" at 761.66,359.94 center font plain(11.05) tc rgb '#00767a80'
set label 16 "On a scale of their own:" at 7.80,382.77 left font plain(11.05) tc rgb '#00767a80'
set label 17 "0" at 109.95,447.52 center font plain(11.05) tc rgb '#00767a80'
set label 18 "0.2 MB" at 232.64,447.52 center font plain(11.05) tc rgb '#00767a80'
set label 19 "0.4 MB" at 355.33,447.52 center font plain(11.05) tc rgb '#00767a80'
set label 20 "0.6 MB" at 478.02,447.52 center font plain(11.05) tc rgb '#00767a80'
set label 21 "0.8 MB" at 600.71,447.52 center font plain(11.05) tc rgb '#00767a80'
set label 22 "1 MB" at 723.39,447.52 center font plain(11.05) tc rgb '#00767a80'
set label 23 "run 20261129T105741-models; 2026-11-29; connbench 0.1.0 (7a4b4e11aa+); 2 CPUs AMD EPYC; Linux 6.18.44-fc-v782" at 7.80,470.36 left font plain(11.05) tc rgb '#00767a80'
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
  $data64 using 1:2:("reactor") with labels right font plain(13.00) tc rgb '#00222428', \
  $data65 using 1:2:("5.95 kB (RSS 1.73 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data66 using 1:2:("thread-pool") with labels right font plain(13.00) tc rgb '#00222428', \
  $data67 using 1:2:("6.04 kB (RSS 1.65 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data68 using 1:2:("fdpass") with labels right font plain(13.00) tc rgb '#00222428', \
  $data69 using 1:2:("6.14 kB (RSS 5.28 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data70 using 1:2:("pool-tx-thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data71 using 1:2:("6.25 kB (RSS 1.78 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data72 using 1:2:("pool-tx") with labels right font plain(13.00) tc rgb '#00222428', \
  $data73 using 1:2:("6.86 kB (RSS 1.78 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data74 using 1:2:("reactor-uring") with labels right font plain(13.00) tc rgb '#00222428', \
  $data75 using 1:2:("10.1 kB (RSS 5.89 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data76 using 1:2:("hybrid") with labels right font plain(13.00) tc rgb '#00222428', \
  $data77 using 1:2:("16.8 kB (RSS 14.2 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data78 using 1:2:("thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data79 using 1:2:("46.3 kB (RSS 20.7 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data80 using 1:2:("thread-cached") with labels right font plain(13.00) tc rgb '#00222428', \
  $data81 using 1:2:("46.7 kB (RSS 20.7 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data82 using 1:2:("poco") with labels right font plain(13.00) tc rgb '#00222428', \
  $data83 using 1:2:("48 kB (RSS 21.8 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data84 using 1:2:("prefork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data85 using 1:2:("58.2 kB (RSS 1.07 MB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data86 using 1:2:("fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data87 using 1:2:("220 kB (RSS 3.3 MB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data88 using 1:2:("fork-exec") with labels right font plain(13.00) tc rgb '#00222428', \
  $data89 using 1:2:("1.1 MB (RSS 7.29 MB)") with labels right font plain(11.05) tc rgb '#00222428'
unset multiplot
unset output
