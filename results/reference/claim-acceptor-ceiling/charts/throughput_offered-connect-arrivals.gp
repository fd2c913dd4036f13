# Draw it again: gnuplot -e 'format="pdf"' throughput_offered-connect-arrivals.gp
if (!exists("format")) format = "svg"
if (format eq "svg") { set terminal svg size 960,570 dynamic noenhanced font "DejaVu Sans,12" background '#ffffff'; scale = 1.0; mark = 0.72 }
if (format eq "png") { set terminal pngcairo size 1920,1140 noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 2 pointscale 2 fontscale 1; scale = 1.5; mark = 1.0 }
if (format eq "pdf") { set terminal pdfcairo size 10.0000in,5.9375in noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 0.75 pointscale 0.75 fontscale 1; scale = 0.5625; mark = 1.0 }
set output "throughput_offered-connect-arrivals".".".format
plain(px) = "DejaVu Sans".sprintf(",%.2f", px * scale)
bold(px) = "DejaVu Sans Bold".sprintf(",%.2f", px * scale)
unset key
unset border
unset tics
set multiplot

set lmargin at screen 0.045130
set rmargin at screen 0.889663
set tmargin at screen 0.877412
set bmargin at screen 0.170044
set logscale x
set xrange [230.04691265621878:4346.939450104232]
set logscale y
set yrange [209.5657714285714:4703.7911032]
$data1 << EOD
250 209.5657714285714 250 4703.7911032
500 209.5657714285714 500 4703.7911032
1000 209.5657714285714 1000 4703.7911032
2000 209.5657714285714 2000 4703.7911032
4000 209.5657714285714 4000 4703.7911032
230.04691265621878 500 4346.939450104232 500
230.04691265621878 1000 4346.939450104232 1000
230.04691265621878 2000 4346.939450104232 2000
EOD
$data2 << EOD
250 266.720408 0 0
250 259.919064 0 0
250 258.022968 0 0
250 252.436051 0 0
500 496.344835 0 0
500 480.20983 0 0
500 524.191237 0 0
500 474.937216 0 0
1000 1017.181338 0 0
1000 960.454518 0 0
1000 1077.201481 0 0
2000 1874.956377 0 0
2000 1607.645871 0 0
2000 1711.77274 0 0
2000 1650.088165 0 0
2000 1131.917413 0 0
2000 1596.726083 0 0
4000 2006.900188 0 0
4000 1809.387157 0 0
4000 1701.165886 0 0
4000 2014.07234 0 0
4000 1774.154132 0 0
4000 1815.581773 0 0
EOD
$data3 << EOD
2000 1131.917413 2000 1874.956377
4000 1701.165886 4000 2014.07234
EOD
$data4 << EOD
250 258.97101599999996 0 0
500 488.2773325 0 0
1000 1017.181338 0 0
2000 1628.867018 0 0
4000 1812.484465 0 0
EOD
$data5 << EOD
1000 1017.181338 0 0
EOD
$data6 << EOD
1000 209.5657714285714 1000 1017.181338
EOD
$data7 << EOD
250 258.97101599999996 0 0
500 488.2773325 0 0
1000 1017.181338 0 0
2000 1628.867018 0 0
4000 1812.484465 0 0
EOD
$data8 << EOD
250 259.185052 0 0
250 243.691619 0 0
250 249.348332 0 0
250 239.863794 0 0
250 257.863268 0 0
250 244.010286 0 0
500 366.796896 0 0
500 321.560573 0 0
500 317.956007 0 0
500 334.011169 0 0
500 368.050401 0 0
500 311.297831 0 0
1000 325.577033 0 0
1000 322.796724 0 0
1000 342.341383 0 0
1000 394.378641 0 0
1000 372.664217 0 0
1000 384.712293 0 0
2000 335.558495 0 0
2000 338.415466 0 0
2000 312.802181 0 0
2000 344.48858 0 0
2000 351.073008 0 0
2000 364.442715 0 0
4000 328.622269 0 0
4000 334.643675 0 0
4000 301.465222 0 0
4000 329.817548 0 0
4000 323.437645 0 0
4000 347.755484 0 0
EOD
$data9 << EOD
250 239.863794 250 259.185052
500 311.297831 500 368.050401
1000 322.796724 1000 394.378641
2000 312.802181 2000 364.442715
4000 301.465222 4000 347.755484
EOD
$data10 << EOD
250 246.679309 0 0
500 327.785871 0 0
1000 357.5028 0 0
2000 341.452023 0 0
4000 329.2199085 0 0
EOD
$data11 << EOD
250 246.679309 0 0
EOD
$data12 << EOD
250 209.5657714285714 250 246.679309
EOD
$data13 << EOD
250 246.679309 0 0
500 327.785871 0 0
1000 357.5028 0 0
2000 341.452023 0 0
4000 329.2199085 0 0
EOD
$data14 << EOD
250 258.998578 0 0
250 256.162597 0 0
250 246.391331 0 0
250 254.750575 0 0
250 271.303018 0 0
250 253.115731 0 0
500 519.316013 0 0
500 550.204176 0 0
500 514.795386 0 0
500 474.5465 0 0
500 513.23721 0 0
1000 1005.817174 0 0
1000 1001.819753 0 0
1000 897.578234 0 0
1000 990.465484 0 0
1000 1061.384797 0 0
2000 2065.26309 0 0
2000 2058.713182 0 0
2000 1999.796157 0 0
2000 2001.260314 0 0
4000 3324.689584 0 0
4000 2807.76994 0 0
4000 2712.954695 0 0
4000 2901.576135 0 0
4000 2927.211811 0 0
4000 3135.015218 0 0
EOD
$data15 << EOD
250 246.391331 250 271.303018
4000 2712.954695 4000 3324.689584
EOD
$data16 << EOD
250 255.45658600000002 0 0
500 514.795386 0 0
1000 1001.819753 0 0
2000 2029.986748 0 0
4000 2914.393973 0 0
EOD
$data17 << EOD
2000 2029.986748 0 0
EOD
$data18 << EOD
2000 209.5657714285714 2000 2029.986748
EOD
$data19 << EOD
250 255.45658600000002 0 0
500 514.795386 0 0
1000 1001.819753 0 0
2000 2029.986748 0 0
4000 2914.393973 0 0
EOD
$data20 << EOD
250 252.062736 0 0
250 234.713664 0 0
250 253.353262 0 0
250 257.367943 0 0
500 475.192197 0 0
500 515.824702 0 0
500 558.279609 0 0
1000 909.276679 0 0
1000 1009.986063 0 0
4000 4092.303577 0 0
4000 4070.786251 0 0
4000 3831.633253 0 0
EOD
$data21 << EOD
250 252.707999 0 0
500 515.824702 0 0
1000 959.631371 0 0
2000 1837.031984 0 0
4000 4070.786251 0 0
EOD
$data22 << EOD
2000 1837.031984 0 0
EOD
$data23 << EOD
2000 209.5657714285714 2000 1837.031984
EOD
$data24 << EOD
250 252.707999 0 0
500 515.824702 0 0
1000 959.631371 0 0
2000 1837.031984 0 0
4000 4070.786251 0 0
EOD
$data25 << EOD
250 273.961137 0 0
250 271.315467 0 0
250 247.949122 0 0
250 254.197325 0 0
500 533.613456 0 0
500 503.65159 0 0
500 490.904924 0 0
500 524.26729 0 0
1000 1006.875439 0 0
1000 995.159322 0 0
1000 1057.492531 0 0
1000 942.205451 0 0
2000 2103.873175 0 0
2000 1970.684872 0 0
2000 1914.4894 0 0
2000 2345.211767 0 0
4000 4156.18508 0 0
4000 4199.813485 0 0
4000 4071.218973 0 0
4000 4051.435896 0 0
EOD
$data26 << EOD
250 262.756396 0 0
500 513.95944 0 0
1000 1001.0173805 0 0
2000 2037.2790235000002 0 0
4000 4113.7020265 0 0
EOD
$data27 << EOD
1000 1001.0173805 0 0
EOD
$data28 << EOD
1000 209.5657714285714 1000 1001.0173805
EOD
$data29 << EOD
250 262.756396 0 0
500 513.95944 0 0
1000 1001.0173805 0 0
2000 2037.2790235000002 0 0
4000 4113.7020265 0 0
EOD
plot $data1 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data2 using 1:2 with points lc rgb '#8c4088c7' pt 7 ps 0.44*mark, \
  $data3 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#664088c7' lw 1.8 dt 1, \
  $data4 using 1:2 with lines lc rgb '#004088c7' lw 1.8 dt 1, \
  $data5 using 1:2 with points lc rgb '#004088c7' pt 6 ps 1.75*mark, \
  $data6 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#004088c7' lw 0.9 dt 3, \
  $data7 using 1:2 with points lc rgb '#004088c7' pt 7 ps 0.79*mark, \
  $data8 using 1:2 with points lc rgb '#8cb88d00' pt 7 ps 0.44*mark, \
  $data9 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#66b88d00' lw 1.8 dt 1, \
  $data10 using 1:2 with lines lc rgb '#00b88d00' lw 1.8 dt 1, \
  $data11 using 1:2 with points lc rgb '#00b88d00' pt 6 ps 1.75*mark, \
  $data12 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00b88d00' lw 0.9 dt 3, \
  $data13 using 1:2 with points lc rgb '#00b88d00' pt 7 ps 0.79*mark, \
  $data14 using 1:2 with points lc rgb '#8c4088c7' pt 7 ps 0.44*mark, \
  $data15 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#664088c7' lw 1.8 dt 1, \
  $data16 using 1:2 with lines lc rgb '#004088c7' lw 1.8 dt 2, \
  $data17 using 1:2 with points lc rgb '#004088c7' pt 6 ps 1.75*mark, \
  $data18 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#004088c7' lw 0.9 dt 3, \
  $data19 using 1:2 with points lc rgb '#004088c7' pt 5 ps 0.79*mark, \
  $data20 using 1:2 with points lc rgb '#8c826334' pt 7 ps 0.44*mark, \
  $data21 using 1:2 with lines lc rgb '#00826334' lw 1.8 dt 1, \
  $data22 using 1:2 with points lc rgb '#00826334' pt 6 ps 1.75*mark, \
  $data23 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00826334' lw 0.9 dt 3, \
  $data24 using 1:2 with points lc rgb '#00826334' pt 7 ps 0.79*mark, \
  $data25 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data26 using 1:2 with lines lc rgb '#00629993' lw 1.8 dt 1, \
  $data27 using 1:2 with points lc rgb '#00629993' pt 6 ps 1.75*mark, \
  $data28 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00629993' lw 0.9 dt 3, \
  $data29 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark

# Words and leaders, in pixels.
set lmargin at screen 0.000000
set rmargin at screen 1.000000
set tmargin at screen 1.000000
set bmargin at screen 0.000000
unset logscale x
set xrange [0:960]
unset logscale y
set yrange [570:0]
set label 1 "What is achieved of the offered rate" at 7.80,17.96 left font bold(16.25) tc rgb '#00222428'
set label 2 "workload connect-arrivals (pattern storm), protocol simple, 500 connections, shared_buffers=64MB, max_connections=513; median of 1 to 6 valid repetitions" at 7.80,35.02 left font plain(11.05) tc rgb '#00767a80'
set label 3 "connects [1/s] (higher is better)" at 7.80,57.85 left font plain(13.00) tc rgb '#00222428'
set label 4 "250" at 66.27,483.80 center font plain(11.05) tc rgb '#00767a80'
set label 5 "500" at 257.49,483.80 center font plain(11.05) tc rgb '#00767a80'
set label 6 "1,000" at 448.70,483.80 center font plain(11.05) tc rgb '#00767a80'
set label 7 "2,000" at 639.92,483.80 center font plain(11.05) tc rgb '#00767a80'
set label 8 "4,000" at 831.13,483.80 center font plain(11.05) tc rgb '#00767a80'
set label 9 "500" at 39.43,360.38 right font plain(11.05) tc rgb '#00767a80'
set label 10 "1,000" at 39.43,270.55 right font plain(11.05) tc rgb '#00767a80'
set label 11 "2,000" at 39.43,180.71 right font plain(11.05) tc rgb '#00767a80'
set label 12 "connects due per second" at 43.33,504.60 left font plain(13.00) tc rgb '#00222428'
set label 13 "Ringed, the knee, the last rate of which 90 % is achieved at no more than 5 times the latency of the lowest: fork 1,000/s; postgres 250/s; prefork 2,000/s; thread 2,000/s;" at 7.80,527.43 left font plain(11.05) tc rgb '#00222428'
set label 14 "thread-pool 1,000/s." at 7.80,541.24 left font plain(11.05) tc rgb '#00222428'
set label 15 "run 20261129T111601-claim-acceptor-ceiling; 2026-11-29; connbench 0.1.0 (7a4b4e11aa+); 2 CPUs AMD EPYC; Linux 6.18.44-fc-v782" at 7.80,555.06 left font plain(11.05) tc rgb '#00767a80'
$data30 << EOD
835.0302198113209 193.47164619919192 0 0
856.0260000000001 193.47164619919192 0 0
864.606 193.47164619919192 0 0
EOD
$data31 << EOD
870.1310000000001 193.47164619919192 0 0
EOD
$data32 << EOD
835.0302198113209 414.5357312318009 0 0
856.0260000000001 414.5357312318009 0 0
864.606 414.5357312318009 0 0
EOD
$data33 << EOD
870.1310000000001 414.5357312318009 0 0
EOD
$data34 << EOD
835.0302198113209 131.91590645027446 0 0
856.0260000000001 131.91590645027446 0 0
864.606 131.91590645027446 0 0
EOD
$data35 << EOD
870.1310000000001 131.91590645027446 0 0
EOD
$data36 << EOD
835.0302198113209 88.60657844758481 0 0
856.0260000000001 88.60657844758481 0 0
864.606 96.052002719911 0 0
EOD
$data37 << EOD
870.1310000000001 96.052002719911 0 0
EOD
$data38 << EOD
835.0302198113209 87.2474269922372 0 0
856.0260000000001 87.2474269922372 0 0
864.606 79.802002719911 0 0
EOD
$data39 << EOD
870.1310000000001 79.802002719911 0 0
EOD
$data40 << EOD
876.31 193.47
EOD
$data41 << EOD
876.31 414.54
EOD
$data42 << EOD
876.31 131.92
EOD
$data43 << EOD
876.31 96.05
EOD
$data44 << EOD
876.31 79.80
EOD
plot $data30 using 1:2 with lines lc rgb '#4c4088c7' lw 0.8 dt 1, \
  $data31 using 1:2 with points lc rgb '#004088c7' pt 7 ps 0.79*mark, \
  $data32 using 1:2 with lines lc rgb '#4cb88d00' lw 0.8 dt 1, \
  $data33 using 1:2 with points lc rgb '#00b88d00' pt 7 ps 0.79*mark, \
  $data34 using 1:2 with lines lc rgb '#4c4088c7' lw 0.8 dt 1, \
  $data35 using 1:2 with points lc rgb '#004088c7' pt 5 ps 0.79*mark, \
  $data36 using 1:2 with lines lc rgb '#4c826334' lw 0.8 dt 1, \
  $data37 using 1:2 with points lc rgb '#00826334' pt 7 ps 0.79*mark, \
  $data38 using 1:2 with lines lc rgb '#4c629993' lw 0.8 dt 1, \
  $data39 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark, \
  $data40 using 1:2:("fork") with labels left font plain(13.00) tc rgb '#00222428', \
  $data41 using 1:2:("postgres") with labels left font plain(13.00) tc rgb '#00222428', \
  $data42 using 1:2:("prefork") with labels left font plain(13.00) tc rgb '#00222428', \
  $data43 using 1:2:("thread") with labels left font plain(13.00) tc rgb '#00222428', \
  $data44 using 1:2:("thread-pool") with labels left font plain(13.00) tc rgb '#00222428'
unset multiplot
unset output
