# Draw it again: gnuplot -e 'format="pdf"' throughput-steady.gp
if (!exists("format")) format = "svg"
if (format eq "svg") { set terminal svg size 960,723 dynamic noenhanced font "DejaVu Sans,12" background '#ffffff'; scale = 1.0; mark = 0.72 }
if (format eq "png") { set terminal pngcairo size 1920,1446 noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 2 pointscale 2 fontscale 1; scale = 1.5; mark = 1.0 }
if (format eq "pdf") { set terminal pdfcairo size 10.0000in,7.5312in noenhanced font "DejaVu Sans,12" background '#ffffff' linewidth 0.75 pointscale 0.75 fontscale 1; scale = 0.5625; mark = 1.0 }
set output "throughput-steady".".".format
plain(px) = "DejaVu Sans".sprintf(",%.2f", px * scale)
bold(px) = "DejaVu Sans Bold".sprintf(",%.2f", px * scale)
unset key
unset border
unset tics
set multiplot

set lmargin at screen 0.059772
set rmargin at screen 0.404707
set tmargin at screen 0.880878
set bmargin at screen 0.515733
set logscale x
set xrange [6.921220518345929:1155.8654978257916]
unset logscale y
set yrange [0:155766]
$data1 << EOD
8 0 8 155766
64 0 64 155766
256 0 256 155766
1000 0 1000 155766
6.921220518345929 0 1155.8654978257916 0
6.921220518345929 50000 1155.8654978257916 50000
6.921220518345929 100000 1155.8654978257916 100000
6.921220518345929 150000 1155.8654978257916 150000
EOD
$data2 << EOD
8 103382 0 0
64 128444 0 0
256 108941 0 0
1000 99663 0 0
EOD
$data3 << EOD
8 93722 0 0
64 103643 0 0
256 66878 0 0
1000 49901 0 0
EOD
$data4 << EOD
8 90950 0 0
64 97829 0 0
256 75109 0 0
1000 51949 0 0
EOD
$data5 << EOD
8 50363 0 0
64 49638 0 0
256 47225 0 0
1000 41973 0 0
EOD
$data6 << EOD
8 46410 0 0
64 53764 0 0
256 46932 0 0
1000 44002 0 0
EOD
$data7 << EOD
8 99107 0 0
64 125751 0 0
256 119395 0 0
1000 99796 0 0
EOD
$data8 << EOD
8 108115 0 0
64 136309 0 0
256 141723 0 0
1000 126947 0 0
EOD
$data9 << EOD
8 75052 0 0
64 104645 0 0
256 75927 0 0
1000 53997 0 0
EOD
$data10 << EOD
8 77571 0 0
64 108560 0 0
256 78573 0 0
1000 56557 0 0
EOD
$data11 << EOD
8 123513 0 0
64 122064 0 0
256 92278 0 0
1000 89708 0 0
EOD
$data12 << EOD
8 76993 0 0
8 76015 0 0
8 76956 0 0
64 73898 0 0
64 80251 0 0
64 87651 0 0
256 62884 0 0
256 49572 0 0
256 57200 0 0
1000 43271 0 0
1000 36845 0 0
1000 44269 0 0
EOD
$data13 << EOD
8 76956 0 0
64 80251 0 0
256 57200 0 0
1000 43271 0 0
EOD
$data14 << EOD
8 76956 0 0
64 80251 0 0
256 57200 0 0
1000 43271 0 0
EOD
$data15 << EOD
8 95852 0 0
8 89885 0 0
8 88537 0 0
64 78885 0 0
64 79780 0 0
64 79888 0 0
256 45346 0 0
256 41699 0 0
256 55249 0 0
1000 32425 0 0
1000 29165 0 0
1000 37869 0 0
EOD
$data16 << EOD
8 89885 0 0
64 79780 0 0
256 45346 0 0
1000 32425 0 0
EOD
$data17 << EOD
8 89885 0 0
64 79780 0 0
256 45346 0 0
1000 32425 0 0
EOD
$data18 << EOD
8 77603 0 0
8 91496 0 0
8 89936 0 0
64 98024 0 0
64 96712 0 0
64 96044 0 0
256 55852 0 0
256 56781 0 0
256 63425 0 0
1000 37613 0 0
1000 42733 0 0
1000 38125 0 0
EOD
$data19 << EOD
8 89936 0 0
64 96712 0 0
256 56781 0 0
1000 38125 0 0
EOD
$data20 << EOD
8 89936 0 0
64 96712 0 0
256 56781 0 0
1000 38125 0 0
EOD
plot $data1 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data2 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data3 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data4 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data5 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data6 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data7 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data8 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data9 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data10 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data11 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data12 using 1:2 with points lc rgb '#8c4088c7' pt 7 ps 0.44*mark, \
  $data13 using 1:2 with lines lc rgb '#004088c7' lw 1.8 dt 1, \
  $data14 using 1:2 with points lc rgb '#004088c7' pt 7 ps 0.79*mark, \
  $data15 using 1:2 with points lc rgb '#8c4088c7' pt 7 ps 0.44*mark, \
  $data16 using 1:2 with lines lc rgb '#004088c7' lw 1.8 dt 2, \
  $data17 using 1:2 with points lc rgb '#004088c7' pt 5 ps 0.79*mark, \
  $data18 using 1:2 with points lc rgb '#8c4088c7' pt 7 ps 0.44*mark, \
  $data19 using 1:2 with lines lc rgb '#004088c7' lw 1.8 dt 3, \
  $data20 using 1:2 with points lc rgb '#004088c7' pt 9 ps 0.79*mark

set lmargin at screen 0.559772
set rmargin at screen 0.869892
set tmargin at screen 0.880878
set bmargin at screen 0.515733
set logscale x
set xrange [6.921220518345929:1155.8654978257916]
unset logscale y
set yrange [0:155766]
$data21 << EOD
8 0 8 155766
64 0 64 155766
256 0 256 155766
1000 0 1000 155766
6.921220518345929 0 1155.8654978257916 0
6.921220518345929 50000 1155.8654978257916 50000
6.921220518345929 100000 1155.8654978257916 100000
6.921220518345929 150000 1155.8654978257916 150000
EOD
$data22 << EOD
8 103382 0 0
64 128444 0 0
256 108941 0 0
1000 99663 0 0
EOD
$data23 << EOD
8 76956 0 0
64 80251 0 0
256 57200 0 0
1000 43271 0 0
EOD
$data24 << EOD
8 89885 0 0
64 79780 0 0
256 45346 0 0
1000 32425 0 0
EOD
$data25 << EOD
8 90950 0 0
64 97829 0 0
256 75109 0 0
1000 51949 0 0
EOD
$data26 << EOD
8 50363 0 0
64 49638 0 0
256 47225 0 0
1000 41973 0 0
EOD
$data27 << EOD
8 46410 0 0
64 53764 0 0
256 46932 0 0
1000 44002 0 0
EOD
$data28 << EOD
8 89936 0 0
64 96712 0 0
256 56781 0 0
1000 38125 0 0
EOD
$data29 << EOD
8 99107 0 0
64 125751 0 0
256 119395 0 0
1000 99796 0 0
EOD
$data30 << EOD
8 108115 0 0
64 136309 0 0
256 141723 0 0
1000 126947 0 0
EOD
$data31 << EOD
8 123513 0 0
64 122064 0 0
256 92278 0 0
1000 89708 0 0
EOD
$data32 << EOD
8 93722 0 0
8 78571 0 0
8 94184 0 0
64 108178 0 0
64 103643 0 0
64 88437 0 0
256 72583 0 0
256 66878 0 0
256 64627 0 0
1000 47597 0 0
1000 49901 0 0
1000 54765 0 0
EOD
$data33 << EOD
8 93722 0 0
64 103643 0 0
256 66878 0 0
1000 49901 0 0
EOD
$data34 << EOD
8 93722 0 0
64 103643 0 0
256 66878 0 0
1000 49901 0 0
EOD
$data35 << EOD
8 73484 0 0
8 75052 0 0
8 95288 0 0
64 104645 0 0
64 94309 0 0
64 105701 0 0
256 75927 0 0
256 66645 0 0
256 82219 0 0
1000 61165 0 0
1000 50413 0 0
1000 53997 0 0
EOD
$data36 << EOD
8 75052 0 0
64 104645 0 0
256 75927 0 0
1000 53997 0 0
EOD
$data37 << EOD
8 75052 0 0
64 104645 0 0
256 75927 0 0
1000 53997 0 0
EOD
$data38 << EOD
8 93815 0 0
8 77571 0 0
8 75792 0 0
64 108560 0 0
64 84424 0 0
64 108758 0 0
256 84399 0 0
256 78573 0 0
256 67953 0 0
1000 60653 0 0
1000 48365 0 0
1000 56557 0 0
EOD
$data39 << EOD
8 77571 0 0
64 108560 0 0
256 78573 0 0
1000 56557 0 0
EOD
$data40 << EOD
8 77571 0 0
64 108560 0 0
256 78573 0 0
1000 56557 0 0
EOD
plot $data21 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data22 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data23 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data24 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data25 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data26 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data27 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data28 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data29 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data30 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data31 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data32 using 1:2 with points lc rgb '#8c826334' pt 7 ps 0.44*mark, \
  $data33 using 1:2 with lines lc rgb '#00826334' lw 1.8 dt 1, \
  $data34 using 1:2 with points lc rgb '#00826334' pt 7 ps 0.79*mark, \
  $data35 using 1:2 with points lc rgb '#8c826334' pt 7 ps 0.44*mark, \
  $data36 using 1:2 with lines lc rgb '#00826334' lw 1.8 dt 2, \
  $data37 using 1:2 with points lc rgb '#00826334' pt 5 ps 0.79*mark, \
  $data38 using 1:2 with points lc rgb '#8c826334' pt 7 ps 0.44*mark, \
  $data39 using 1:2 with lines lc rgb '#00826334' lw 1.8 dt 3, \
  $data40 using 1:2 with points lc rgb '#00826334' pt 9 ps 0.79*mark

set lmargin at screen 0.059772
set rmargin at screen 0.371449
set tmargin at screen 0.460892
set bmargin at screen 0.095747
set logscale x
set xrange [6.921220518345929:1155.8654978257916]
unset logscale y
set yrange [0:155766]
$data41 << EOD
8 0 8 155766
64 0 64 155766
256 0 256 155766
1000 0 1000 155766
6.921220518345929 0 1155.8654978257916 0
6.921220518345929 50000 1155.8654978257916 50000
6.921220518345929 100000 1155.8654978257916 100000
6.921220518345929 150000 1155.8654978257916 150000
EOD
$data42 << EOD
8 103382 0 0
64 128444 0 0
256 108941 0 0
1000 99663 0 0
EOD
$data43 << EOD
8 76956 0 0
64 80251 0 0
256 57200 0 0
1000 43271 0 0
EOD
$data44 << EOD
8 89885 0 0
64 79780 0 0
256 45346 0 0
1000 32425 0 0
EOD
$data45 << EOD
8 93722 0 0
64 103643 0 0
256 66878 0 0
1000 49901 0 0
EOD
$data46 << EOD
8 89936 0 0
64 96712 0 0
256 56781 0 0
1000 38125 0 0
EOD
$data47 << EOD
8 99107 0 0
64 125751 0 0
256 119395 0 0
1000 99796 0 0
EOD
$data48 << EOD
8 108115 0 0
64 136309 0 0
256 141723 0 0
1000 126947 0 0
EOD
$data49 << EOD
8 75052 0 0
64 104645 0 0
256 75927 0 0
1000 53997 0 0
EOD
$data50 << EOD
8 77571 0 0
64 108560 0 0
256 78573 0 0
1000 56557 0 0
EOD
$data51 << EOD
8 95271 0 0
8 73023 0 0
8 90950 0 0
64 111692 0 0
64 83658 0 0
64 97829 0 0
256 73792 0 0
256 83642 0 0
256 75109 0 0
1000 53997 0 0
1000 46793 0 0
1000 51949 0 0
EOD
$data52 << EOD
8 90950 0 0
64 97829 0 0
256 75109 0 0
1000 51949 0 0
EOD
$data53 << EOD
8 90950 0 0
64 97829 0 0
256 75109 0 0
1000 51949 0 0
EOD
$data54 << EOD
8 50713 0 0
8 48734 0 0
8 50363 0 0
64 54343 0 0
64 49638 0 0
64 49242 0 0
256 46373 0 0
256 47443 0 0
256 47225 0 0
1000 43583 0 0
1000 40538 0 0
1000 41973 0 0
EOD
$data55 << EOD
8 50363 0 0
64 49638 0 0
256 47225 0 0
1000 41973 0 0
EOD
$data56 << EOD
8 50363 0 0
64 49638 0 0
256 47225 0 0
1000 41973 0 0
EOD
$data57 << EOD
8 46410 0 0
8 42002 0 0
8 47785 0 0
64 53764 0 0
64 41106 0 0
64 54197 0 0
256 43980 0 0
256 50333 0 0
256 46932 0 0
1000 44002 0 0
1000 46486 0 0
1000 39970 0 0
EOD
$data58 << EOD
8 46410 0 0
64 53764 0 0
256 46932 0 0
1000 44002 0 0
EOD
$data59 << EOD
8 46410 0 0
64 53764 0 0
256 46932 0 0
1000 44002 0 0
EOD
$data60 << EOD
8 128525 0 0
8 100863 0 0
8 123513 0 0
64 126607 0 0
64 122064 0 0
64 118502 0 0
256 92278 0 0
256 90804 0 0
256 107631 0 0
1000 95765 0 0
1000 89708 0 0
1000 87232 0 0
EOD
$data61 << EOD
8 123513 0 0
64 122064 0 0
256 92278 0 0
1000 89708 0 0
EOD
$data62 << EOD
8 123513 0 0
64 122064 0 0
256 92278 0 0
1000 89708 0 0
EOD
plot $data41 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data42 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data43 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data44 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data45 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data46 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data47 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data48 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data49 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data50 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data51 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data52 using 1:2 with lines lc rgb '#00629993' lw 1.8 dt 1, \
  $data53 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark, \
  $data54 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data55 using 1:2 with lines lc rgb '#00629993' lw 1.8 dt 2, \
  $data56 using 1:2 with points lc rgb '#00629993' pt 5 ps 0.79*mark, \
  $data57 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data58 using 1:2 with lines lc rgb '#00629993' lw 1.8 dt 3, \
  $data59 using 1:2 with points lc rgb '#00629993' pt 9 ps 0.79*mark, \
  $data60 using 1:2 with points lc rgb '#8c629993' pt 7 ps 0.44*mark, \
  $data61 using 1:2 with lines lc rgb '#00629993' lw 1.8 dt 4, \
  $data62 using 1:2 with points lc rgb '#00629993' pt 13 ps 0.79*mark

set lmargin at screen 0.559772
set rmargin at screen 0.879384
set tmargin at screen 0.460892
set bmargin at screen 0.095747
set logscale x
set xrange [6.921220518345929:1155.8654978257916]
unset logscale y
set yrange [0:155766]
$data63 << EOD
8 0 8 155766
64 0 64 155766
256 0 256 155766
1000 0 1000 155766
6.921220518345929 0 1155.8654978257916 0
6.921220518345929 50000 1155.8654978257916 50000
6.921220518345929 100000 1155.8654978257916 100000
6.921220518345929 150000 1155.8654978257916 150000
EOD
$data64 << EOD
8 76956 0 0
64 80251 0 0
256 57200 0 0
1000 43271 0 0
EOD
$data65 << EOD
8 89885 0 0
64 79780 0 0
256 45346 0 0
1000 32425 0 0
EOD
$data66 << EOD
8 93722 0 0
64 103643 0 0
256 66878 0 0
1000 49901 0 0
EOD
$data67 << EOD
8 90950 0 0
64 97829 0 0
256 75109 0 0
1000 51949 0 0
EOD
$data68 << EOD
8 50363 0 0
64 49638 0 0
256 47225 0 0
1000 41973 0 0
EOD
$data69 << EOD
8 46410 0 0
64 53764 0 0
256 46932 0 0
1000 44002 0 0
EOD
$data70 << EOD
8 89936 0 0
64 96712 0 0
256 56781 0 0
1000 38125 0 0
EOD
$data71 << EOD
8 75052 0 0
64 104645 0 0
256 75927 0 0
1000 53997 0 0
EOD
$data72 << EOD
8 77571 0 0
64 108560 0 0
256 78573 0 0
1000 56557 0 0
EOD
$data73 << EOD
8 123513 0 0
64 122064 0 0
256 92278 0 0
1000 89708 0 0
EOD
$data74 << EOD
8 102128 0 0
8 107925 0 0
8 103382 0 0
64 129764 0 0
64 105733 0 0
64 128444 0 0
256 108941 0 0
256 100920 0 0
256 111115 0 0
1000 91907 0 0
1000 99663 0 0
1000 107357 0 0
EOD
$data75 << EOD
8 103382 0 0
64 128444 0 0
256 108941 0 0
1000 99663 0 0
EOD
$data76 << EOD
8 103382 0 0
64 128444 0 0
256 108941 0 0
1000 99663 0 0
EOD
$data77 << EOD
8 99107 0 0
8 128655 0 0
8 92650 0 0
64 124270 0 0
64 127365 0 0
64 125751 0 0
256 122607 0 0
256 119395 0 0
256 114961 0 0
1000 100403 0 0
1000 94661 0 0
1000 99796 0 0
EOD
$data78 << EOD
8 99107 0 0
64 125751 0 0
256 119395 0 0
1000 99796 0 0
EOD
$data79 << EOD
8 99107 0 0
64 125751 0 0
256 119395 0 0
1000 99796 0 0
EOD
$data80 << EOD
8 108115 0 0
8 113745 0 0
8 105191 0 0
64 138625 0 0
64 117256 0 0
64 136309 0 0
256 149775 0 0
256 141723 0 0
256 136185 0 0
1000 127569 0 0
1000 120030 0 0
1000 126947 0 0
EOD
$data81 << EOD
8 108115 0 0
64 136309 0 0
256 141723 0 0
1000 126947 0 0
EOD
$data82 << EOD
8 108115 0 0
64 136309 0 0
256 141723 0 0
1000 126947 0 0
EOD
plot $data63 using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb '#00dee0e4' lw 1 dt 1, \
  $data64 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data65 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data66 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data67 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data68 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data69 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data70 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data71 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data72 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data73 using 1:2 with lines lc rgb '#00dee0e4' lw 0.9 dt 1, \
  $data74 using 1:2 with points lc rgb '#8ca214f5' pt 7 ps 0.44*mark, \
  $data75 using 1:2 with lines lc rgb '#00a214f5' lw 1.8 dt 1, \
  $data76 using 1:2 with points lc rgb '#00a214f5' pt 7 ps 0.79*mark, \
  $data77 using 1:2 with points lc rgb '#8ca214f5' pt 7 ps 0.44*mark, \
  $data78 using 1:2 with lines lc rgb '#00a214f5' lw 1.8 dt 2, \
  $data79 using 1:2 with points lc rgb '#00a214f5' pt 5 ps 0.79*mark, \
  $data80 using 1:2 with points lc rgb '#8ca214f5' pt 7 ps 0.44*mark, \
  $data81 using 1:2 with lines lc rgb '#00a214f5' lw 1.8 dt 3, \
  $data82 using 1:2 with points lc rgb '#00a214f5' pt 9 ps 0.79*mark

# Words and leaders, in pixels.
set lmargin at screen 0.000000
set rmargin at screen 1.000000
set tmargin at screen 1.000000
set bmargin at screen 0.000000
unset logscale x
set xrange [0:960]
unset logscale y
set yrange [723:0]
set label 1 "Throughput against connections" at 7.80,17.96 left font bold(16.25) tc rgb '#00222428'
set label 2 "workload steady, protocol prepared, shared_buffers=64MB; median of 3 valid repetitions" at 7.80,35.02 left font plain(11.05) tc rgb '#00767a80'
set label 3 "throughput [tx/s] (higher is better)" at 7.80,57.85 left font plain(13.00) tc rgb '#00222428'
set label 4 "processes" at 57.38,78.00 left font bold(13.00) tc rgb '#00222428'
set label 5 "8" at 66.75,360.85 center font plain(11.05) tc rgb '#00767a80'
set label 6 "64" at 201.29,360.85 center font plain(11.05) tc rgb '#00767a80'
set label 7 "256" at 290.99,360.85 center font plain(11.05) tc rgb '#00767a80'
set label 8 "1,000" at 379.15,360.85 center font plain(11.05) tc rgb '#00767a80'
set label 9 "0" at 53.48,350.12 right font plain(11.05) tc rgb '#00767a80'
set label 10 "50,000" at 53.48,265.38 right font plain(11.05) tc rgb '#00767a80'
set label 11 "100,000" at 53.48,180.64 right font plain(11.05) tc rgb '#00767a80'
set label 12 "150,000" at 53.48,95.90 right font plain(11.05) tc rgb '#00767a80'
set label 13 "threads" at 537.38,78.00 left font bold(13.00) tc rgb '#00222428'
set label 14 "8" at 545.81,360.85 center font plain(11.05) tc rgb '#00767a80'
set label 15 "64" at 666.77,360.85 center font plain(11.05) tc rgb '#00767a80'
set label 16 "256" at 747.41,360.85 center font plain(11.05) tc rgb '#00767a80'
set label 17 "1,000" at 826.67,360.85 center font plain(11.05) tc rgb '#00767a80'
set label 18 "0" at 533.48,350.12 right font plain(11.05) tc rgb '#00767a80'
set label 19 "50,000" at 533.48,265.38 right font plain(11.05) tc rgb '#00767a80'
set label 20 "100,000" at 533.48,180.64 right font plain(11.05) tc rgb '#00767a80'
set label 21 "150,000" at 533.48,95.90 right font plain(11.05) tc rgb '#00767a80'
set label 22 "pools" at 57.38,381.65 left font bold(13.00) tc rgb '#00222428'
set label 23 "8" at 65.85,664.50 center font plain(11.05) tc rgb '#00767a80'
set label 24 "64" at 187.42,664.50 center font plain(11.05) tc rgb '#00767a80'
set label 25 "256" at 268.46,664.50 center font plain(11.05) tc rgb '#00767a80'
set label 26 "1,000" at 348.12,664.50 center font plain(11.05) tc rgb '#00767a80'
set label 27 "0" at 53.48,653.77 right font plain(11.05) tc rgb '#00767a80'
set label 28 "50,000" at 53.48,569.03 right font plain(11.05) tc rgb '#00767a80'
set label 29 "100,000" at 53.48,484.29 right font plain(11.05) tc rgb '#00767a80'
set label 30 "150,000" at 53.48,399.55 right font plain(11.05) tc rgb '#00767a80'
set label 31 "event loops" at 537.38,381.65 left font bold(13.00) tc rgb '#00222428'
set label 32 "8" at 546.06,664.50 center font plain(11.05) tc rgb '#00767a80'
set label 33 "64" at 670.73,664.50 center font plain(11.05) tc rgb '#00767a80'
set label 34 "256" at 753.84,664.50 center font plain(11.05) tc rgb '#00767a80'
set label 35 "1,000" at 835.53,664.50 center font plain(11.05) tc rgb '#00767a80'
set label 36 "0" at 533.48,653.77 right font plain(11.05) tc rgb '#00767a80'
set label 37 "50,000" at 533.48,569.03 right font plain(11.05) tc rgb '#00767a80'
set label 38 "100,000" at 533.48,484.29 right font plain(11.05) tc rgb '#00767a80'
set label 39 "150,000" at 533.48,399.55 right font plain(11.05) tc rgb '#00767a80'
set label 40 "connections" at 57.38,685.30 left font plain(13.00) tc rgb '#00222428'
set label 41 "run 20261121T204728-models; 2026-11-21; connbench 0.1.0 (b521069f8d+); 2 CPUs AMD EPYC; Linux 6.18.44-fc-v669" at 7.80,708.13 left font plain(11.05) tc rgb '#00767a80'
$data83 << EOD
383.04716132075464 276.78714706675396 0 0
390.469 276.78714706675396 0 0
399.04900000000004 269.57182729222035 0 0
EOD
$data84 << EOD
404.574 269.57182729222035 0 0
EOD
$data85 << EOD
383.04716132075464 295.1694898116405 0 0
390.469 295.1694898116405 0 0
399.04900000000004 302.07182729222035 0 0
EOD
$data86 << EOD
404.574 302.07182729222035 0 0
EOD
$data87 << EOD
383.04716132075464 285.5088449982666 0 0
390.469 285.5088449982666 0 0
399.04900000000004 285.82182729222035 0 0
EOD
$data88 << EOD
404.574 285.82182729222035 0 0
EOD
$data89 << EOD
830.5700952830188 265.5502917838296 0 0
837.046 265.5502917838296 0 0
845.626 275.7259495011748 0 0
EOD
$data90 << EOD
851.1510000000001 275.7259495011748 0 0
EOD
$data91 << EOD
830.5700952830188 258.6081863179384 0 0
837.046 258.6081863179384 0 0
845.626 259.4759495011748 0 0
EOD
$data92 << EOD
851.1510000000001 259.4759495011748 0 0
EOD
$data93 << EOD
830.5700952830188 254.26937040175648 0 0
837.046 254.26937040175648 0 0
845.626 243.22594950117482 0 0
EOD
$data94 << EOD
851.1510000000001 243.22594950117482 0 0
EOD
$data95 << EOD
352.0227839622641 565.729239050884 0 0
358.541 565.729239050884 0 0
367.12100000000004 559.6048377052758 0 0
EOD
$data96 << EOD
372.646 559.6048377052758 0 0
EOD
$data97 << EOD
352.0227839622641 582.6370623242556 0 0
358.541 582.6370623242556 0 0
367.12100000000004 592.1048377052758 0 0
EOD
$data98 << EOD
372.646 592.1048377052758 0 0
EOD
$data99 << EOD
352.0227839622641 579.198211740688 0 0
358.541 579.198211740688 0 0
367.12100000000004 575.8548377052758 0 0
EOD
$data100 << EOD
372.646 575.8548377052758 0 0
EOD
$data101 << EOD
352.0227839622641 501.7333991371673 0 0
358.541 501.7333991371673 0 0
367.12100000000004 501.7333991371673 0 0
EOD
$data102 << EOD
372.646 501.7333991371673 0 0
EOD
$data103 << EOD
839.4251801886793 484.8611677131081 0 0
846.1590000000001 484.8611677131081 0 0
854.739 492.8734601902854 0 0
EOD
$data104 << EOD
860.2640000000001 492.8734601902854 0 0
EOD
$data105 << EOD
839.4251801886793 484.6357526674627 0 0
846.1590000000001 484.6357526674627 0 0
854.739 476.6234601902854 0 0
EOD
$data106 << EOD
860.2640000000001 476.6234601902854 0 0
EOD
$data107 << EOD
839.4251801886793 438.61888120642504 0 0
846.1590000000001 438.61888120642504 0 0
854.739 438.61888120642504 0 0
EOD
$data108 << EOD
860.2640000000001 438.61888120642504 0 0
EOD
$data109 << EOD
410.75 269.57
EOD
$data110 << EOD
410.75 302.07
EOD
$data111 << EOD
410.75 285.82
EOD
$data112 << EOD
857.33 275.73
EOD
$data113 << EOD
857.33 259.48
EOD
$data114 << EOD
857.33 243.23
EOD
$data115 << EOD
378.82 559.60
EOD
$data116 << EOD
378.82 592.10
EOD
$data117 << EOD
378.82 575.85
EOD
$data118 << EOD
378.82 501.73
EOD
$data119 << EOD
866.44 492.87
EOD
$data120 << EOD
866.44 476.62
EOD
$data121 << EOD
866.44 438.62
EOD
plot $data83 using 1:2 with lines lc rgb '#4c4088c7' lw 0.8 dt 1, \
  $data84 using 1:2 with points lc rgb '#004088c7' pt 7 ps 0.79*mark, \
  $data85 using 1:2 with lines lc rgb '#4c4088c7' lw 0.8 dt 1, \
  $data86 using 1:2 with points lc rgb '#004088c7' pt 5 ps 0.79*mark, \
  $data87 using 1:2 with lines lc rgb '#4c4088c7' lw 0.8 dt 1, \
  $data88 using 1:2 with points lc rgb '#004088c7' pt 9 ps 0.79*mark, \
  $data89 using 1:2 with lines lc rgb '#4c826334' lw 0.8 dt 1, \
  $data90 using 1:2 with points lc rgb '#00826334' pt 7 ps 0.79*mark, \
  $data91 using 1:2 with lines lc rgb '#4c826334' lw 0.8 dt 1, \
  $data92 using 1:2 with points lc rgb '#00826334' pt 5 ps 0.79*mark, \
  $data93 using 1:2 with lines lc rgb '#4c826334' lw 0.8 dt 1, \
  $data94 using 1:2 with points lc rgb '#00826334' pt 9 ps 0.79*mark, \
  $data95 using 1:2 with lines lc rgb '#4c629993' lw 0.8 dt 1, \
  $data96 using 1:2 with points lc rgb '#00629993' pt 7 ps 0.79*mark, \
  $data97 using 1:2 with lines lc rgb '#4c629993' lw 0.8 dt 1, \
  $data98 using 1:2 with points lc rgb '#00629993' pt 5 ps 0.79*mark, \
  $data99 using 1:2 with lines lc rgb '#4c629993' lw 0.8 dt 1, \
  $data100 using 1:2 with points lc rgb '#00629993' pt 9 ps 0.79*mark, \
  $data101 using 1:2 with lines lc rgb '#4c629993' lw 0.8 dt 1, \
  $data102 using 1:2 with points lc rgb '#00629993' pt 13 ps 0.79*mark, \
  $data103 using 1:2 with lines lc rgb '#4ca214f5' lw 0.8 dt 1, \
  $data104 using 1:2 with points lc rgb '#00a214f5' pt 7 ps 0.79*mark, \
  $data105 using 1:2 with lines lc rgb '#4ca214f5' lw 0.8 dt 1, \
  $data106 using 1:2 with points lc rgb '#00a214f5' pt 5 ps 0.79*mark, \
  $data107 using 1:2 with lines lc rgb '#4ca214f5' lw 0.8 dt 1, \
  $data108 using 1:2 with points lc rgb '#00a214f5' pt 9 ps 0.79*mark, \
  $data109 using 1:2:("fork") with labels left font plain(13.00) tc rgb '#00222428', \
  $data110 using 1:2:("fork-exec") with labels left font plain(13.00) tc rgb '#00222428', \
  $data111 using 1:2:("prefork") with labels left font plain(13.00) tc rgb '#00222428', \
  $data112 using 1:2:("hybrid") with labels left font plain(13.00) tc rgb '#00222428', \
  $data113 using 1:2:("thread") with labels left font plain(13.00) tc rgb '#00222428', \
  $data114 using 1:2:("thread-cached") with labels left font plain(13.00) tc rgb '#00222428', \
  $data115 using 1:2:("poco") with labels left font plain(13.00) tc rgb '#00222428', \
  $data116 using 1:2:("pool-tx") with labels left font plain(13.00) tc rgb '#00222428', \
  $data117 using 1:2:("pool-tx-thread") with labels left font plain(13.00) tc rgb '#00222428', \
  $data118 using 1:2:("thread-pool") with labels left font plain(13.00) tc rgb '#00222428', \
  $data119 using 1:2:("fdpass") with labels left font plain(13.00) tc rgb '#00222428', \
  $data120 using 1:2:("reactor") with labels left font plain(13.00) tc rgb '#00222428', \
  $data121 using 1:2:("reactor-uring") with labels left font plain(13.00) tc rgb '#00222428'
unset multiplot
unset output
