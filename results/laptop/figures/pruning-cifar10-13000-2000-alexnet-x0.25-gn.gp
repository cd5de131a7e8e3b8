# gnuplot pruning-cifar10-13000-2000-alexnet-x0.25-gn.gp draws pruning-cifar10-13000-2000-alexnet-x0.25-gn.svg and pruning-cifar10-13000-2000-alexnet-x0.25-gn.png from pruning-cifar10-13000-2000-alexnet-x0.25-gn.csv
points = 'pruning-cifar10-13000-2000-alexnet-x0.25-gn.csv'
heading = 'cifar10 13000+2000, alexnet x0.25, gn'
remark = 'reduced run: a quarter of the width or less, 13,000 of 50,000 training images, 9 epochs'
array series[7] = ['plain', 'v1 passport=shuffle layers=default', 'v1 passport=random layers=all', 'v2', 'v3', 'uchida', 'adi']
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
    set terminal svg size 1300,420 font 'DejaVu Sans,13' noenhanced background 'white'
} else {
    set terminal pngcairo size 1950,630 font 'DejaVu Sans,13' fontscale 1.5 pointscale 1.5 linewidth 1.5 noenhanced
}
set output 'pruning-cifar10-13000-2000-alexnet-x0.25-gn.'.format
set multiplot layout 1,2 title heading."\n".remark font ',12' margins 0.065,0.65,0.19,0.84 spacing 0.075,0
set xrange [0:100]
set yrange [0:102]
set xlabel 'weights pruned (%)'
set key at screen 0.67,0.83 left top reverse Left samplen 2
set ylabel 'accuracy as deployed (%)' offset 1,0
plot for [i=1:|series|] points using (of(i, 'pruned %')):'accuracy %':(spread('accuracy % sd')) with yerrorlines linecolor rgb paint(i) pointtype shape(i) pointsize 0.7 linewidth 1.5 title series[i]
unset key
set ylabel 'mark or signature detected (%)' offset 1,0
plot for [i=1:|series|] points using (of(i, 'pruned %')):'detected %':(spread('detected % sd')) with yerrorlines linecolor rgb paint(i) pointtype shape(i) pointsize 0.7 linewidth 1.5 notitle
unset multiplot
}
unset output
