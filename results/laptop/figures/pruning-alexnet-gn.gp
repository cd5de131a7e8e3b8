# gnuplot pruning-alexnet-gn.gp draws pruning-alexnet-gn.svg, pruning-alexnet-gn.png and pruning-alexnet-gn.pdf from pruning-alexnet-gn.csv
points = 'pruning-alexnet-gn.csv'
heading = 'cifar10 13000+2000, alexnet x0.25, gn'
remark = 'reduced run: a quarter of the width or less, 13,000 of 50,000 training images, 9 epochs'
first = 1
array series[7] = ['plain', 'v1, shuffle', 'v1, random', 'v2', 'v3', 'uchida', 'adi']
columns = 2
array low[4]
array high[4]
low[1] = -5
high[1] = 105
step = 20
low[2] = 7.302911325078966
high[2] = 66.6388621733417
low[3] = -5.006354607704591
high[3] = 105.1334467617964
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
    set terminal svg size 1100,494 font 'DejaVu Sans,13' noenhanced background 'white'
}
if (format eq 'png') {
    set terminal pngcairo size 1650,741 font 'DejaVu Sans,10' fontscale 1.5 pointscale 1.5 linewidth 1.5 noenhanced
}
if (format eq 'pdf') {
    set terminal pdfcairo size 1100.0/100,494.0/100 font 'DejaVu Sans,9.4' noenhanced
}
set key at screen 0.5, screen 6.0 / 494 center bottom horizontal maxcols columns reverse Left samplen 3
set label 1 heading."\n".remark at screen 0.5, screen 1 - 18.0 / 494 center
set tmargin at screen 1 - 50.0 / 494
set bmargin at screen 166.0 / 494
set lmargin at screen 75.0 / 1100
set rmargin at screen 1 - 20.0 / 1100
set output 'pruning-alexnet-gn.'.format
set multiplot
set xrange [low[1]:high[1]]
set xlabel 'weights pruned (%)'
set rmargin at screen 0.5
set yrange [low[2]:high[2]]
set ylabel 'accuracy as deployed (%)' offset 1,0
if (chance == chance) {
    set arrow 9 from graph 0, first chance to graph 1, first chance nohead linecolor '#888888' dashtype 3
    set label 9 'guessing' at graph 0, first chance left offset 0.4,0.4 font ',10' textcolor '#666666'
}
plot for [i=1:|series|] points using (of(i, 'pruned %')):'accuracy %':(spread('accuracy % sd')) with yerrorlines linecolor rgb paint(i) dashtype dash(i) pointtype shape(i) pointsize 0.7 linewidth 1.5 title series[i]
unset key
unset arrow
unset label
set lmargin at screen 0.57
set rmargin at screen 0.985
set yrange [low[3]:high[3]]
set ylabel 'mark or signature detected (%)' offset 1,0
plot for [i=1:|series|] points using (of(i, 'pruned %')):'detected %':(spread('detected % sd')) with yerrorlines linecolor rgb paint(i) dashtype dash(i) pointtype shape(i) pointsize 0.7 linewidth 1.5 notitle
unset multiplot
}
unset output
