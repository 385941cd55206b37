# SPDX-License-Identifier: GPL-2.0
# Columns of instructions, one panel to a metric. The caller sets directory,
# metrics (words) and titles (separated by "|").

set terminal svg size 900,620 font "sans-serif,11" background "white"
set output directory."/instructions.svg"
title_of(i) = system(sprintf("echo '%s' | cut -d '|' -f %d", titles, i))

set style data histograms
set style histogram rowstacked
set style fill solid noborder
set boxwidth 0.7
set border 3
set xtics nomirror scale 0 font ",9"
set bmargin 3.5
set ytics nomirror format "%.0f" autofreq
set yrange [0:*]
set offsets -0.4, -0.4, graph 0.12, 0
unset key

n = words(metrics)
set multiplot layout (n + 1) / 2, n > 1 ? 2 : 1 \
	title "Instructions for each packet, both ends" font ",14"
do for [i = 1:n] {
	set title title_of(i)
	if (i == n) {
		set key inside top left Left reverse vertical samplen 1
	}
	plot directory."/plot.".word(metrics, i) \
		using 2:xtic(1) title "no tunnel" lc rgb "#c8c8c8", \
		"" using 3 title "driver and network" lc rgb "#4878a8", \
		"" using 4 title "cryptography" lc rgb "#e8a030", \
		"" using 0:5:(sprintf("%.0f", $5)) with labels \
		offset 0, 0.6 font ",9" notitle
}
unset multiplot
