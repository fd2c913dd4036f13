# Draw it again: gnuplot -e 'format="pdf"' connect_seen-churn.gp
if (!exists("format")) format = "svg"
if (format eq "svg") { set terminal svg size 960,321 dynamic noenhanced font "DejaVu Sans,12" background '#ffffff'; scale = 1.0; mark = 0.72 }
if (format eq "png") { set terminal pngcairo size 1920,642 noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 2 pointscale 2 fontscale 1; scale = 1.5; mark = 1.0 }
if (format eq "pdf") { set terminal pdfcairo size 10.0000in,3.3438in noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 0.75 pointscale 0.75 fontscale 1; scale = 0.5625; mark = 1.0 }
set output "connect_seen-churn".".".format
plain(px) = "DejaVu Sans".sprintf(",%.2f", px * scale)
bold(px) = "DejaVu Sans Bold".sprintf(",%.2f", px * scale)
unset key
unset border
unset tics
set multiplot

set lmargin at screen 0.158993
set rmargin at screen 0.933197
set tmargin at screen 0.719548
set bmargin at screen 0.425935
unset logscale x
set xrange [0:1785.5256172000002]
unset logscale y
set yrange [3.5:-0.5]
$data1 << EOD
0 -0.5 0 3.5
500 -0.5 500 3.5
1000 -0.5 1000 3.5
1500 -0.5 1500 3.5
EOD
$data2 << EOD
0 -0.32 49.0494575 0.32
EOD
$data3 << EOD
49.0494575 -0.32 714.0572275 0.32
EOD
$data4 << EOD
714.0572275 -0.32 714.095559 0.32
EOD
$data5 << EOD
714.095559 -0.32 1351.5039725000001 0.32
EOD
$data6 << EOD
0 0.6799999999999999 41.05300149999999 1.32
EOD
$data7 << EOD
41.05300149999999 0.6799999999999999 406.7434145 1.32
EOD
$data8 << EOD
406.7434145 0.6799999999999999 406.7827905 1.32
EOD
$data9 << EOD
406.7827905 0.6799999999999999 1364.822727 1.32
EOD
$data10 << EOD
0 1.68 43.140752 2.32
EOD
$data11 << EOD
43.140752 1.68 477.0749385 2.32
EOD
$data12 << EOD
477.0749385 1.68 477.11274399999996 2.32
EOD
$data13 << EOD
477.11274399999996 1.68 1579.9499415 2.32
EOD
$data14 << EOD
0 2.68 57.353507 3.32
EOD
$data15 << EOD
57.353507 2.68 846.064059 3.32
EOD
$data16 << EOD
846.064059 2.68 846.1026780000001 3.32
EOD
$data17 << EOD
846.1026780000001 2.68 1716.8515550000002 3.32
EOD
plot $data1 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data2 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data3 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data4 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data5 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data6 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data7 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data8 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data9 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data10 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data11 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data12 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data13 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data14 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data15 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data16 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data17 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c'

set lmargin at screen 0.158993
set rmargin at screen 0.933197
set tmargin at screen 0.299883
set bmargin at screen 0.153076
unset logscale x
set xrange [0:36016.792755320006]
unset logscale y
set yrange [1.5:-0.5]
$data18 << EOD
0 -0.5 0 1.5
5000 -0.5 5000 1.5
10000 -0.5 10000 1.5
15000 -0.5 15000 1.5
20000 -0.5 20000 1.5
25000 -0.5 25000 1.5
30000 -0.5 30000 1.5
35000 -0.5 35000 1.5
EOD
$data19 << EOD
0 -0.32 54.348952999999995 0.32
EOD
$data20 << EOD
54.348952999999995 -0.32 4480.489556999999 0.32
EOD
$data21 << EOD
4480.489556999999 -0.32 4480.533582499999 0.32
EOD
$data22 << EOD
4480.533582499999 -0.32 7189.914386499999 0.32
EOD
$data23 << EOD
0 0.6799999999999999 87.246069 1.32
EOD
$data24 << EOD
87.246069 0.6799999999999999 27331.056556000003 1.32
EOD
$data25 << EOD
27331.056556000003 0.6799999999999999 27331.113547500005 1.32
EOD
$data26 << EOD
27331.113547500005 0.6799999999999999 34631.53149550001 1.32
EOD
plot $data18 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data19 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data20 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data21 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data22 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data23 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data24 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data25 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data26 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c'

# Words and leaders, in pixels.
set lmargin at screen 0.000000
set rmargin at screen 1.000000
set tmargin at screen 1.000000
set bmargin at screen 0.000000
unset logscale x
set xrange [0:960]
unset logscale y
set yrange [321:0]
set label 1 "What a connect costs its client" at 7.80,17.96 left font bold(16.25) tc rgb '#00222428'
set label 2 "workload churn, protocol simple, 8 connections, shared_buffers=128MB; median of 6 valid repetitions" at 7.80,35.02 left font plain(11.05) tc rgb '#00767a80'
set label 3 "mean time from connect() to the first row (lower is better)" at 7.80,57.85 left font plain(13.00) tc rgb '#00222428'
set label 4 "TCP handshake" at 23.40,74.10 left font plain(13.00) tc rgb '#00222428'
set label 5 "waiting for the server's first answer" at 154.80,74.10 left font plain(13.00) tc rgb '#00222428'
set label 6 "until ready for queries" at 417.16,74.10 left font plain(13.00) tc rgb '#00222428'
set label 7 "first statement" at 592.92,74.10 left font plain(13.00) tc rgb '#00222428'
set label 8 "0" at 152.63,195.00 center font plain(11.05) tc rgb '#00767a80'
set label 9 "0.5 ms" at 360.76,195.00 center font plain(11.05) tc rgb '#00767a80'
set label 10 "1 ms" at 568.89,195.00 center font plain(11.05) tc rgb '#00767a80'
set label 11 "1.5 ms" at 777.02,195.00 center font plain(11.05) tc rgb '#00767a80'
set label 12 "On a scale of their own:" at 7.80,217.83 left font plain(11.05) tc rgb '#00767a80'
set label 13 "0" at 152.63,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 14 "5 ms" at 255.81,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 15 "10 ms" at 358.99,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 16 "15 ms" at 462.17,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 17 "20 ms" at 565.35,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 18 "25 ms" at 668.53,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 19 "30 ms" at 771.71,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 20 "35 ms" at 874.89,282.59 center font plain(11.05) tc rgb '#00767a80'
set label 21 "run 20261129T104842-postgres; 2026-11-29; connbench 0.1.0 (7a4b4e11aa+); 2 CPUs AMD EPYC; Linux 6.18.44-fc-v782" at 7.80,305.42 left font plain(11.05) tc rgb '#00767a80'
$data27 << EOD
7.8 68.25 19.5 79.94999999999999
EOD
$data28 << EOD
139.204 68.25 150.904 79.94999999999999
EOD
$data29 << EOD
401.557 68.25 413.257 79.94999999999999
EOD
$data30 << EOD
577.317 68.25 589.017 79.94999999999999
EOD
$data31 << EOD
144.83 101.81
EOD
$data32 << EOD
952.20 101.81
EOD
$data33 << EOD
144.83 125.37
EOD
$data34 << EOD
952.20 125.37
EOD
$data35 << EOD
144.83 148.93
EOD
$data36 << EOD
952.20 148.93
EOD
$data37 << EOD
144.83 172.49
EOD
$data38 << EOD
952.20 172.49
EOD
$data39 << EOD
144.83 236.52
EOD
$data40 << EOD
952.20 236.52
EOD
$data41 << EOD
144.83 260.08
EOD
$data42 << EOD
952.20 260.08
EOD
plot $data27 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0026547c', \
  $data28 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#0085b6d7', \
  $data29 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00c96f3b', \
  $data30 using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb '#00f0cd8c', \
  $data31 using 1:2:("thread-pool") with labels right font plain(13.00) tc rgb '#00222428', \
  $data32 using 1:2:("1.35 ms") with labels right font plain(11.05) tc rgb '#00222428', \
  $data33 using 1:2:("pgbouncer+fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data34 using 1:2:("1.36 ms") with labels right font plain(11.05) tc rgb '#00222428', \
  $data35 using 1:2:("pgbouncer+postgres") with labels right font plain(13.00) tc rgb '#00222428', \
  $data36 using 1:2:("1.58 ms") with labels right font plain(11.05) tc rgb '#00222428', \
  $data37 using 1:2:("thread") with labels right font plain(13.00) tc rgb '#00222428', \
  $data38 using 1:2:("1.72 ms") with labels right font plain(11.05) tc rgb '#00222428', \
  $data39 using 1:2:("fork") with labels right font plain(13.00) tc rgb '#00222428', \
  $data40 using 1:2:("7.19 ms") with labels right font plain(11.05) tc rgb '#00222428', \
  $data41 using 1:2:("postgres") with labels right font plain(13.00) tc rgb '#00222428', \
  $data42 using 1:2:("34.6 ms") with labels right font plain(11.05) tc rgb '#00222428'
unset multiplot
unset output
