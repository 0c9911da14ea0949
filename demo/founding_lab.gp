# SPDX-License-Identifier: Apache-2.0 OR MIT
# Above: all readings, in seconds, on a scale that shows seconds and microseconds alike.
# Below: the settled clocks, in microseconds, with the error bound as a band.
set output out
set multiplot layout 2,1 title "The founding lab: true offset from A"
set grid xtics ytics lt 1 lw 0.5 lc rgb '#dddddd'
set key above right horizontal
set xlabel 't since BC has started, s'

sign(x) = x < 0 ? -1 : 1
pretty(x) = sign(x) * (log10(abs(x) + 1e-8) + 8)
set ylabel 'true offset, s (logarithmic)'
set yrange [-8.7:8.7]
set xrange [-5:until]
set ytics ('-1 s' pretty(-1), '-1 ms' pretty(-1e-3), '-10 us' pretty(-1e-5), \
    '-1 us' pretty(-1e-6), '-100 ns' pretty(-1e-7), '0' 0, '100 ns' pretty(1e-7), \
    '1 us' pretty(1e-6), '10 us' pretty(1e-5), '1 ms' pretty(1e-3), '1 s' pretty(1))
plot dir.'/B.dat' using 1:(pretty($2)) with lines lw 2 lc rgb '#d95f02' title 'B', \
     dir.'/BC.dat' using 1:(pretty($2)) with lines lw 2 lc rgb '#1b9e77' title 'BC'

set ylabel 'true offset, us'
set xrange [10:until]
set yrange [*:*]
set ytics auto
plot dir.'/B.dat' using 1:(-$3*1e6):($3*1e6) with filledcurves fs transparent solid 0.15 \
         lc rgb '#d95f02' title 'error bound of B', \
     dir.'/BC.dat' using 1:(-$3*1e6):($3*1e6) with filledcurves fs transparent solid 0.25 \
         lc rgb '#1b9e77' title 'error bound of BC', \
     dir.'/B.dat' using 1:($2*1e6) with lines lw 1.5 lc rgb '#d95f02' title 'B', \
     dir.'/BC.dat' using 1:($2*1e6) with lines lw 1.5 lc rgb '#1b9e77' title 'BC'
unset multiplot
