# Draw it again: gnuplot -e 'format="pdf"' memory-idle.gp
if (!exists("format")) format = "svg"
if (format eq "svg") { set terminal svg size 960,321 dynamic noenhanced font "DejaVu Sans,12" background '#ffffff'; scale = 1.0; mark = 0.72 }
if (format eq "png") { set terminal pngcairo size 1920,642 noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 2 pointscale 2 fontscale 1; scale = 1.5; mark = 1.0 }
if (format eq "pdf") { set terminal pdfcairo size 10.0000in,3.3438in noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 0.75 pointscale 0.75 fontscale 1; scale = 0.5625; mark = 1.0 }
set output "memory-idle".".".format
plain(px) = "DejaVu Sans".sprintf(",%.2f", px * scale)
bold(px) = "DejaVu Sans Bold".sprintf(",%.2f", px * scale)
unset key
unset border
unset tics
set multiplot

set lmargin at screen 0.158993
set rmargin at screen 0.846547
set tmargin at screen 0.719548
set bmargin at screen 0.425935
unset logscale x
set xrange [0:51.704648320000004]
unset logscale y
set yrange [3.5:-0.5]
$data1 << EOD
0 -0.5 0 3.5
10 -0.5 10 3.5
20 -0.5 20 3.5
30 -0.5 30 3.5
40 -0.5 40 3.5
50 -0.5 50 3.5
EOD
$data2 << EOD
0 -0.32 0.7661435532233882 0.32
EOD
$data3 << EOD
0.7661435532233882 -0.32 0.8941675412293852 0.32
EOD
$data4 << EOD
0.8941675412293852 -0.32 0.9181720389805097 0.32
EOD
$data5 << EOD
0.9181720389805097 -0.32 5.337 0.32
EOD
$data6 << EOD
4.9533415000000005 0 5.726637500000001 0
EOD
$data7 << EOD
0 0.6799999999999999 1.2933314886552296 1.32
EOD
$data8 << EOD
1.2933314886552296 0.6799999999999999 5.435 1.32
EOD
$data9 << EOD
3.3159155 1 7.144399 1
EOD
$data10 << EOD
0 1.68 2.5229916604261695 2.32
EOD
$data11 << EOD
2.5229916604261695 1.68 2.768455749200082 2.32
EOD
$data12 << EOD
2.768455749200082 1.68 2.7924034651780247 2.32
EOD
$data13 << EOD
2.7924034651780247 1.68 7.3285 2.32
EOD
$data14 << EOD
2.381274 2 12.600965 2
EOD
$data15 << EOD
0 2.68 20.54270506442148 3.32
EOD
$data16 << EOD
20.54270506442148 2.68 22.65606965174129 3.32
EOD
$data17 << EOD
22.65606965174129 2.68 38.68158311009057 3.32
EOD
$data18 << EOD
38.68158311009057 2.68 47.108999999999995 3.32
EOD
$data19 << EOD
44.5489225 3 49.716008 3
EOD
plot $data1 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data2 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data3 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data4 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data5 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data6 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data7 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data8 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data9 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data10 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data11 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data12 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data13 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data14 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data15 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data16 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data17 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data18 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data19 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1

set lmargin at screen 0.158993
set rmargin at screen 0.846547
set tmargin at screen 0.299883
set bmargin at screen 0.153076
unset logscale x
set xrange [0:1379.1061414]
unset logscale y
set yrange [1.5:-0.5]
$data20 << EOD
0 -0.5 0 1.5
204.8 -0.5 204.8 1.5
409.6 -0.5 409.6 1.5
614.4000000000001 -0.5 614.4000000000001 1.5
819.2 -0.5 819.2 1.5
1024 -0.5 1024 1.5
1228.8000000000002 -0.5 1228.8000000000002 1.5
EOD
$data21 << EOD
0 -0.32 84.62099409595527 0.32
EOD
$data22 << EOD
84.62099409595527 -0.32 170.86201575576428 0.32
EOD
$data23 << EOD
170.86201575576428 -0.32 186.90685699479852 0.32
EOD
$data24 << EOD
186.90685699479852 -0.32 226.04924999999997 0.32
EOD
$data25 << EOD
216.62298750000002 0 235.75536499999998 0
EOD
$data26 << EOD
0 0.6799999999999999 1049.6690267027955 1.32
EOD
$data27 << EOD
1049.6690267027955 0.6799999999999999 1211.5934672949127 1.32
EOD
$data28 << EOD
1211.5934672949127 0.6799999999999999 1227.5855110557463 1.32
EOD
$data29 << EOD
1227.5855110557463 0.6799999999999999 1316.5502499999998 1.32
EOD
$data30 << EOD
1307.300818 1 1326.0635975 1
EOD
plot $data20 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data21 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data22 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data23 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data24 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data25 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1, \
  $data26 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data27 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data28 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data29 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data30 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00222428' lw 1.8 dt 1

# Words and leaders, in pixels.
set lmargin at screen 0.000000
set rmargin at screen 1.000000
set tmargin at screen 1.000000
set bmargin at screen 0.000000
unset logscale x
set xrange [0:960]
unset logscale y
set yrange [321:0]
set label 1 "Memory of one connection" at 7.80,17.96 left font bold(16.25) tc rgb '#00222428'
set label 2 "workload idle, protocol extended, 400 connections, shared_buffers=128MB; median of 5 to 6 valid repetitions" at 7.80,35.02 left font plain(11.05) tc rgb '#00767a80'
set label 3 "memory per connection, growth over connection counts (lower is better)" at 7.80,57.85 left font plain(13.00) tc rgb '#00222428'
set label 4 "private memory" at 23.40,74.10 left font plain(13.00) tc rgb '#00222428'
set label 5 "page tables" at 159.02,74.10 left font plain(13.00) tc rgb '#00222428'
set label 6 "kernel stacks" at 266.53,74.10 left font plain(13.00) tc rgb '#00222428'
set label 7 "kernel objects" at 383.86,74.10 left font plain(13.00) tc rgb '#00222428'
set label 8 "socket buffers" at 506.75,74.10 left font plain(13.00) tc rgb '#00222428'
set label 9 "0" at 152.63,195.00 center font plain(11.05) tc rgb '#00767a80'
set label 10 "10 kB" at 280.29,195.00 center font plain(11.05) tc rgb '#00767a80'
set label 11 "20 kB" at 407.95,195.00 center font plain(11.05) tc rgb '#00767a80'
set label 12 "30 kB" at 535.61,195.00 center font plain(11.05) tc rgb '#00767a80'
set label 13 "40 kB" at 663.27,195.00 center font plain(11.05) tc rgb '#00767a80'
set label 14 "50 kB" at 790.92,195.00 center font plain(11.05) tc rgb '#00767a80'
set label 15 "On a scale of their own:" at 7.80,217.83 left font plain(11.05) tc rgb '#00767a80'
set label 16 "0" at 152.63,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 17 "0.2 MB" at 250.65,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 18 "0.4 MB" at 348.67,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 19 "0.6 MB" at 446.69,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 20 "0.8 MB" at 544.71,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 21 "1 MB" at 642.73,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 22 "1.2 MB" at 740.75,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 23 "run 20261129T104842-postgres; 2026-11-29; connbench 0.1.0 (7a4b4e11aa+); 2 CPUs AMD EPYC; Linux 6.18.44-fc-v782" at 7.80,305.42 left font plain(11.05) tc rgb '#00767a80'
$data31 << EOD
7.8 68.25 19.5 79.94999999999999
EOD
$data32 << EOD
143.416 68.25 155.11599999999999 79.94999999999999
EOD
$data33 << EOD
250.926 68.25 262.626 79.94999999999999
EOD
$data34 << EOD
368.264 68.25 379.964 79.94999999999999
EOD
$data35 << EOD
491.153 68.25 502.853 79.94999999999999
EOD
$data36 << EOD
144.83 101.81
EOD
$data37 << EOD
952.20 101.81
EOD
$data38 << EOD
144.83 125.37
EOD
$data39 << EOD
952.20 125.37
EOD
$data40 << EOD
144.83 148.93
EOD
$data41 << EOD
952.20 148.93
EOD
$data42 << EOD
144.83 172.49
EOD
$data43 << EOD
952.20 172.49
EOD
$data44 << EOD
144.83 236.52
EOD
$data45 << EOD
952.20 236.52
EOD
$data46 << EOD
144.83 260.08
EOD
$data47 << EOD
952.20 260.08
EOD
plot $data31 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data32 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data33 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data34 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data35 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#005e6871', \
  $data36 using 1:2:("pgbouncer+fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data37 using 1:2:("5.34 kB (RSS 5.61 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data38 using 1:2:("thread-pool") with labels right font plain(13.00) tc rgb '#00222428', \
  $data39 using 1:2:("5.43 kB (RSS 1.51 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data40 using 1:2:("pgbouncer+postgres") with labels right font plain(13.00) tc rgb '#00222428', \
  $data41 using 1:2:("7.33 kB (RSS 20.8 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data42 using 1:2:("thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data43 using 1:2:("47.1 kB (RSS 20.7 kB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data44 using 1:2:("fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data45 using 1:2:("226 kB (RSS 3.26 MB)") with labels right font plain(11.05) tc rgb '#00222428', \
  $data46 using 1:2:("postgres") with labels right font plain(13.00) tc rgb '#00222428', \
  $data47 using 1:2:("1.29 MB (RSS 13.1 MB)") with labels right font plain(11.05) tc rgb '#00222428'
unset multiplot
unset output
