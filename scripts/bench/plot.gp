# SPDX-License-Identifier: GPL-2.0
# Columns of what was measured: a panel to each kind of test, three columns to a
# test. The caller sets directory, panels (words) and titles (separated by "|").

set output directory."/speed.svg"
title_of(i) = system(sprintf("echo '%s' | cut -d '|' -f %d", titles, i))

n = words(panels)
set terminal svg size 900,(40 + 290 * n) font "sans-serif,11" \
	background "white"
set datafile separator "\t"
set style fill solid noborder
set boxwidth 0.25
set border 3
set xtics nomirror scale 0 font ",9"
set bmargin 3.5
set ytics nomirror format "%.0f" autofreq
set yrange [0:*]
set offsets 0.1, 0.1, graph 0.12, 0
set key outside right center Left reverse samplen 1

set multiplot layout n, 1 title "One processor does it all: both ends, " \
	."programs, network" font ",14"
do for [i = 1:n] {
	set title title_of(i)
	file = directory."/plot.".word(panels, i)
	plot file using ($0 - 0.27):2 with boxes \
		title "mainline" lc rgb "#a8b8c8", \
		"" using 0:3:xtic(1) with boxes \
		title "WireGuard" lc rgb "#88b070", \
		"" using ($0 + 0.27):4 with boxes \
		title "ovpn" lc rgb "#4878a8", \
		"" using ($0 - 0.27):2:5 with labels offset 0, 0.6 \
		font ",8" notitle, \
		"" using 0:3:6 with labels offset 0, 0.6 font ",8" notitle, \
		"" using ($0 + 0.27):4:7 with labels offset 0, 0.6 \
		font ",8" notitle
}
unset multiplot
