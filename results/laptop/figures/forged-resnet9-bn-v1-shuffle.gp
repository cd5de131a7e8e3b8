# gnuplot forged-resnet9-bn-v1-shuffle.gp draws forged-resnet9-bn-v1-shuffle.svg, forged-resnet9-bn-v1-shuffle.png and forged-resnet9-bn-v1-shuffle.pdf from forged-resnet9-bn-v1-shuffle.csv
points = 'forged-resnet9-bn-v1-shuffle.csv'
heading = 'cifar10 13000+2000, resnet9 x0.125, bn, v1, shuffle'
remark = 'reduced run: a quarter of the width or less, 13,000 of 50,000 training images, 9 epochs'
first = 1
array series[3] = ['genuine passports (n = 3)', 'fake 1: drawn at random (n = 60)', 'fake 2: reverse-engineered (n = 3)']
columns = 2
array low[3]
array high[3]
low[1] = 2
high[1] = 68
step = 10
low[2] = -1.5833333333333333
high[2] = 69.91666666666667
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
    set terminal svg size 960,454 font 'DejaVu Sans,13' noenhanced background 'white'
}
if (format eq 'png') {
    set terminal pngcairo size 1440,681 font 'DejaVu Sans,10' fontscale 1.5 pointscale 1.5 linewidth 1.5 noenhanced
}
if (format eq 'pdf') {
    set terminal pdfcairo size 960.0/100,454.0/100 font 'DejaVu Sans,9.4' noenhanced
}
set key at screen 0.5, screen 6.0 / 454 center bottom horizontal maxcols columns reverse Left samplen 3
set label 1 heading."\n".remark at screen 0.5, screen 1 - 18.0 / 454 center
set tmargin at screen 1 - 50.0 / 454
set bmargin at screen 126.0 / 454
set lmargin at screen 75.0 / 960
set rmargin at screen 1 - 20.0 / 960
set output 'forged-resnet9-bn-v1-shuffle.'.format
set xrange [low[1]:high[1]]
set yrange [0:high[2]]
set xlabel 'accuracy with the passports shown (%), bins of 2 points'
set ylabel 'share of trials (%)'
set style fill transparent solid 0.55
if (chance == chance) {
    set arrow 9 from first chance, graph 0 to first chance, graph 1 nohead linecolor '#888888' dashtype 3
    set label 9 'guessing' at first chance, graph 0.97 left offset 0.4,0 font ',10' textcolor '#666666'
}
plot for [i=1:|series|] points using (of(i, 'accuracy %')):'share %':(1.8) with boxes linecolor rgb paint(i) title series[i]
}
unset output
