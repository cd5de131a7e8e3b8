# gnuplot gamma-alexnet-gn.gp draws gamma-alexnet-gn.svg, gamma-alexnet-gn.png and gamma-alexnet-gn.pdf from gamma-alexnet-gn.csv
points = 'gamma-alexnet-gn.csv'
heading = 'cifar10 13000+2000, alexnet x0.25, gn'
remark = 'reduced run: a quarter of the width or less, 13,000 of 50,000 training images, 9 epochs'
first = 1
array series[5] = ['plain', 'v1, shuffle', 'v1, random', 'v2', 'v3']
columns = 5
array low[3]
array high[3]
low[1] = -4.4175
high[1] = 4.2175
step = 1
low[2] = -1.4806547619047619
high[2] = 31.09375
chance = 10
array colour[7] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000']
array mark[21] = [7, 5, 9, 11, 13, 15, 1, 6, 4, 8, 10, 12, 14, 2, 5, 7, 11, 9, 15, 13, 3]
published(i) = series[i][1:9] eq 'published'
paint(i) = published(i) ? '#888888' : colour[(i - 1) % 7 + 1]
dash(i) = published(i) ? 4 : (i - 1) / 7 % 3 + 1
shape(i) = mark[(i - 1) % 21 + 1]
of(i, name) = column('line') == first + i - 1 ? column(name) : NaN
spread(name) = strlen(strcol(name)) ? column(name) : 0
set datafile separator comma
set datafile columnheaders
set border 3 linewidth 1
set tics nomirror out
set grid linecolor '#cccccc'
do for [format in 'svg png pdf'] {
if (format eq 'svg') {
    set terminal svg size 960,434 font 'DejaVu Sans,13' noenhanced background 'white'
}
if (format eq 'png') {
    set terminal pngcairo size 1440,651 font 'DejaVu Sans,10' fontscale 1.5 pointscale 1.5 linewidth 1.5 noenhanced
}
if (format eq 'pdf') {
    set terminal pdfcairo size 960.0/100,434.0/100 font 'DejaVu Sans,9.4' noenhanced
}
set key at screen 0.5, screen 6.0 / 434 center bottom horizontal maxcols columns reverse Left samplen 3
set label 1 heading."\n".remark at screen 0.5, screen 1 - 18.0 / 434 center
set tmargin at screen 1 - 50.0 / 434
set bmargin at screen 106.0 / 434
set lmargin at screen 75.0 / 960
set rmargin at screen 1 - 20.0 / 960
set output 'gamma-alexnet-gn.'.format
set xrange [low[1]:high[1]]
set yrange [0:high[2]]
set xlabel 'gamma, bins of 0.05 (outermost: all beyond 4)'
set ylabel 'share of channels (%)'
set arrow 1 from 0, graph 0 to 0, graph 1 nohead linecolor '#888888' dashtype 2
plot for [i=1:|series|] points using (of(i, 'gamma')):'share %' with histeps linecolor rgb paint(i) dashtype dash(i) linewidth 1.5 title series[i]
}
unset output
