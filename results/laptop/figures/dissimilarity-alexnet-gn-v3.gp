# gnuplot dissimilarity-alexnet-gn-v3.gp draws dissimilarity-alexnet-gn-v3.svg, dissimilarity-alexnet-gn-v3.png and dissimilarity-alexnet-gn-v3.pdf from dissimilarity-alexnet-gn-v3.csv
points = 'dissimilarity-alexnet-gn-v3.csv'
heading = 'cifar10 13000+2000, alexnet x0.25, gn, v3'
remark = 'reduced run: a quarter of the width or less, 13,000 of 50,000 training images, 9 epochs'
first = 1
array series[3] = ['flip', 'invert', 'published (cifar100)']
columns = 3
array low[3]
array high[3]
low[1] = -5
high[1] = 105
step = 20
low[2] = -2.35
high[2] = 71.35
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
set output 'dissimilarity-alexnet-gn-v3.'.format
set xrange [low[1]:high[1]]
set yrange [low[2]:high[2]]
set xlabel "signature bits that differ from the owner's (%)"
set ylabel 'accuracy with the forged passports (%)'
if (chance == chance) {
    set arrow 9 from graph 0, first chance to graph 1, first chance nohead linecolor '#888888' dashtype 3
    set label 9 'guessing' at graph 0, first chance left offset 0.4,0.4 font ',10' textcolor '#666666'
}
plot for [i=1:|series|] points using (of(i, 'differing %')):'accuracy %' smooth unique with lines linecolor rgb paint(i) dashtype dash(i) linewidth 1.5 title (published(i) ? series[i] : ''), for [i=1:|series|] points using (published(i) ? NaN : of(i, 'differing %')):'accuracy %':(spread('accuracy % sd')) with yerrorbars linecolor rgb paint(i) pointtype shape(i) pointsize 0.8 title (published(i) ? '' : series[i])
}
unset output
