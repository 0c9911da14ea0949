# SPDX-License-Identifier: Apache-2.0 OR MIT
# Above: all readings, on a scale that shows seconds and microseconds alike.
# Below: the settled clocks, in microseconds, with the error bound of each as a band.
set output out
set multiplot layout 2,1 title "The measured chain: true offset from the grandmaster"
set grid xtics ytics lt 1 lw 0.5 lc rgb '#dddddd'
set key above right horizontal
set xlabel 't, s'

sign(x) = x < 0 ? -1 : 1
pretty(x) = sign(x) * (log10(abs(x) + 1e-8) + 8)
set ylabel 'true offset, s (logarithmic)'
set yrange [-8.7:8.7]
set xrange [0:until]
set ytics ('-1 s' pretty(-1), '-1 ms' pretty(-1e-3), '-10 us' pretty(-1e-5), \
    '-100 ns' pretty(-1e-7), '0' 0, '100 ns' pretty(1e-7), \
    '10 us' pretty(1e-5), '1 ms' pretty(1e-3), '1 s' pretty(1))
plot dir.'/B.dat' using 1:(pretty($2)) with lines lw 2 lc rgb '#d95f02' title 'Pi B (NTP)', \
     dir.'/A.dat' using 1:(pretty($2)) with lines lw 2 lc rgb '#1b9e77' title 'Pi A (PTP)'

set ylabel 'true offset, us'
set xrange [settled:until]
set yrange [*:*]
set ytics auto
plot dir.'/B.dat' using 1:(-$3*1e6):($3*1e6) with filledcurves fs transparent solid 0.15 \
         lc rgb '#d95f02' title 'error bound of B', \
     dir.'/A.dat' using 1:(-$3*1e6):($3*1e6) with filledcurves fs transparent solid 0.25 \
         lc rgb '#1b9e77' title 'error bound of A', \
     dir.'/B.dat' using 1:($2*1e6) with lines lw 1.5 lc rgb '#d95f02' title 'Pi B', \
     dir.'/A.dat' using 1:($2*1e6) with lines lw 1.5 lc rgb '#1b9e77' title 'Pi A'
unset multiplot
