#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Tables and numbers for LaTeX, with names that TeX would obey.
load ../common

setup_file() {
    cd "$SHARED"
    cat >grid.yaml <<'YAML'
name: "hostile_%name"
label: "50 % of \\end{document} & more"
data: {name: synthetic, train: 64, test: 40}
networks: [{arch: alexnet, width: 0.0625, norm: bn}]
train: {epochs: 1, batch: 32, lr: 0.02}
seeds: [1, 2]
schemes:
  - {scheme: v2, passport: random, signature: "[*"}
  - {scheme: v2, passport: random, signature: "\\}"}
  - {scheme: v2, passport: random, signature: "&%"}
  - {scheme: v2, passport: random, signature: "#_"}
  - {scheme: v2, passport: random, signature: "^~"}
  - {scheme: v2, passport: random, signature: "?`"}
  - {scheme: v2, passport: random, signature: "$|"}
  - {scheme: v2, passport: random, signature: "é"}
attacks:
  - {attack: prune, levels: [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]}
verify: {nulls: 3}
YAML
    passgrid run grid.yaml --out run >/dev/null
}

document() { # a paper with every table and the numbers of the keys on stdin; booktabs is not in texlive-latex-base
    cat <<'TEX'
\documentclass{article}
\IfFileExists{booktabs.sty}{\usepackage{booktabs}}{\let\toprule\hline\let\midrule\hline\let\bottomrule\hline}
\input{tables/values}
\begin{document}
TEX
    sed 's/.*/\\pgvalue{&}\\par/'
    for table in run/tables/*.tex; do
        table=${table##*/}
        [ "$table" = values.tex ] || echo "\\noindent\\pgtable{${table%.tex}}\\clearpage"
    done
    echo '\end{document}'
}
keys() { sed -n 's/^\\pgset{\([^}]*\)}.*/\1/p' run/tables/values.tex; }
compiles() { # compiles FILE.tex
    command -v pdflatex >/dev/null || skip "pdflatex is not installed"
    (cd run && pdflatex -interaction=nonstopmode -halt-on-error ../"$1") >log || {
        tail -n 20 log
        return 1
    }
}

@test "one input gives every table and every number, whatever the names are" {
    borrow run
    keys | document >paper.tex
    compiles paper.tex
    says "Output written on paper.pdf" log
    says_not "Missing character" run/paper.log
}

@test "a value that does not exist is an error that names it" {
    borrow run
    echo 'schemes/v9/accuracy' | document >paper.tex
    command -v pdflatex >/dev/null || skip "pdflatex is not installed"
    run -1 compiles paper.tex
    assert_output --partial "no value 'schemes/v9/accuracy'"
}

@test "keys are unique, and have mean, deviation and number of values" {
    borrow run
    run keys
    assert_equal "$(sort -u <<<"$output" | wc -l)" "${#lines[@]}"
    assert [ "${#lines[@]}" -gt 50 ]
    mean=$(
        python3 - <<'PY'
import csv
rows = list(csv.DictReader(open("run/tables/schemes.csv")))
print("%.2f %.2f %s" % (float(rows[0]["accuracy %"]), float(rows[0]["accuracy % sd"]), rows[0]["accuracy % n"]))
PY
    )
    value() { sed -n "s|^\\\\pgset{$1}{\(.*\)}\$|\1|p" run/tables/values.tex; }
    key=$(keys | grep -m 1 '^schemes/.*/accuracy$')
    assert_equal "$(value "$key") $(value "$key/sd") $(value "$key/n")" "$mean"
}
