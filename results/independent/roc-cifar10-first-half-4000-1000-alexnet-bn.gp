# gnuplot roc-cifar10-first-half-4000-1000-alexnet-bn.gp draws roc-cifar10-first-half-4000-1000-alexnet-bn.svg, roc-cifar10-first-half-4000-1000-alexnet-bn.png and roc-cifar10-first-half-4000-1000-alexnet-bn.pdf from roc-cifar10-first-half-4000-1000-alexnet-bn.csv
points = 'roc-cifar10-first-half-4000-1000-alexnet-bn.csv'
heading = 'cifar10 first half 4000+1000, alexnet x0.25, bn'
remark = 'reduced: a quarter of the width, 4000 images, 5 epochs, 4 references (published: 10), 50 steps (100)'
first = 1
array series[18] = ['v1, bound false, genuine', 'v1, bound true, genuine', 'v2, bound false, genuine', 'v2, bound true, genuine', 'pan, bound false, genuine', 'pan, bound true, genuine', 'v3, bound false, genuine', 'v3, bound false, transfer-triggers', 'v3, bound true, genuine', 'v3, bound true, transfer-triggers', 'uchida, bound false, genuine', 'uchida, bound true, genuine', 'adi, bound false, genuine', 'adi, bound false, transfer-triggers', 'adi, bound false, grind', 'adi, bound true, genuine', 'adi, bound true, transfer-triggers', 'adi, bound true, grind']
columns = 2
array low[3]
array high[3]
low[1] = -5
high[1] = 105
step = 20
low[2] = -5
high[2] = 105
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
    set terminal svg size 960,594 font 'DejaVu Sans,13' noenhanced background 'white'
}
if (format eq 'png') {
    set terminal pngcairo size 1440,891 font 'DejaVu Sans,10' fontscale 1.5 pointscale 1.5 linewidth 1.5 noenhanced
}
if (format eq 'pdf') {
    set terminal pdfcairo size 960.0/100,594.0/100 font 'DejaVu Sans,9.4' noenhanced
}
set key at screen 0.5, screen 6.0 / 594 center bottom horizontal maxcols columns reverse Left samplen 3
set label 1 heading."\n".remark at screen 0.5, screen 1 - 18.0 / 594 center
set tmargin at screen 1 - 50.0 / 594
bottom = 266.0 / 594
set bmargin at screen bottom
set lmargin at screen 75.0 / 960
set rmargin at screen 1 - 20.0 / 960
set output 'roc-cifar10-first-half-4000-1000-alexnet-bn.'.format
set xrange [-2:102]
set yrange [-2:102]
set xlabel 'false claims accepted (%)'
set ylabel 'true claims accepted (%)'
set arrow 1 from 1, graph 0 to 1, graph 1 nohead linecolor '#888888' dashtype 3
set arrow 2 from 0, 0 to 100, 100 nohead linecolor '#888888' dashtype 3
plot for [i=1:|series|] points using (of(i, 'false %')):'true %' with linespoints linecolor rgb paint(i) dashtype dash(i) pointtype shape(i) pointsize 0.7 linewidth 1.5 title series[i]
}
unset output
