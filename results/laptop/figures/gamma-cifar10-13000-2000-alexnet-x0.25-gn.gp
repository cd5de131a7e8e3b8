# gnuplot gamma-cifar10-13000-2000-alexnet-x0.25-gn.gp draws gamma-cifar10-13000-2000-alexnet-x0.25-gn.svg and gamma-cifar10-13000-2000-alexnet-x0.25-gn.png from gamma-cifar10-13000-2000-alexnet-x0.25-gn.csv
points = 'gamma-cifar10-13000-2000-alexnet-x0.25-gn.csv'
heading = 'cifar10 13000+2000, alexnet x0.25, gn'
remark = 'reduced run: a quarter of the width or less, 13,000 of 50,000 training images, 9 epochs'
array series[5] = ['plain', 'v1 passport=shuffle layers=default', 'v1 passport=random layers=all', 'v2', 'v3']
array colour[7] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000']
array mark[7] = [7, 5, 9, 11, 13, 4, 6]
published(i) = series[i][1:9] eq 'published'
paint(i) = published(i) ? '#888888' : colour[(i - 1) % 7 + 1]
dash(i) = published(i) ? 2 : 1
shape(i) = mark[(i - 1) % 7 + 1]
of(i, name) = strcol(1) eq series[i] ? column(name) : NaN
spread(name) = strlen(strcol(name)) ? column(name) : 0
set datafile separator comma
set datafile columnheaders
set border 3 linewidth 1
set tics nomirror out
set grid linecolor '#dddddd'
do for [format in 'svg png'] {
if (format eq 'svg') {
    set terminal svg size 960,400 font 'DejaVu Sans,13' noenhanced background 'white'
} else {
    set terminal pngcairo size 1440,600 font 'DejaVu Sans,13' fontscale 1.5 pointscale 1.5 linewidth 1.5 noenhanced
}
set output 'gamma-cifar10-13000-2000-alexnet-x0.25-gn.'.format
set label 1 heading."\n".remark at screen 0.5,0.95 center font ',12'
set tmargin 4
set yrange [0:*]
set xlabel 'gamma, bins of 0.05 (outermost: all beyond 4)'
set ylabel 'share of channels (%)'
set key outside right top reverse Left samplen 2
set arrow 1 from 0, graph 0 to 0, graph 1 nohead linecolor '#888888' dashtype 2
plot for [i=1:|series|] points using (of(i, 'gamma')):'share %' with histeps linecolor rgb paint(i) linewidth 1.5 title series[i]
}
unset output
