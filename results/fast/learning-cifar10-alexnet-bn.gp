# gnuplot learning-cifar10-alexnet-bn.gp draws learning-cifar10-alexnet-bn.svg and learning-cifar10-alexnet-bn.png from learning-cifar10-alexnet-bn.csv
points = 'learning-cifar10-alexnet-bn.csv'
heading = 'cifar10, alexnet, bn'
remark = 'full width and data, but 20 epochs by our own preset `fast`, not the published 200; one seed'
array series[2] = ['plain; public', 'v1; private']
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
    set terminal svg size 960,420 font 'DejaVu Sans,13' noenhanced background 'white'
} else {
    set terminal pngcairo size 1440,630 font 'DejaVu Sans,13' fontscale 1.5 pointscale 1.5 linewidth 1.5 noenhanced
}
set output 'learning-cifar10-alexnet-bn.'.format
set label 1 heading."\n".remark at screen 0.5,0.95 center font ',12'
set tmargin 4
set xrange [0:*]
set yrange [0:102]
set xlabel 'epoch'
set ylabel 'test accuracy (%)'
set key outside right top reverse Left samplen 2
plot for [i=1:|series|] points using (of(i, 'epoch')):'accuracy %':(spread('accuracy % sd')) with yerrorlines linecolor rgb paint(i) pointtype shape(i) pointsize 0.6 linewidth 1.5 title series[i]
}
unset output
