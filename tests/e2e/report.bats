#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The report of a run as a page, in a real browser.
load ../common

setup_file() {
    cd "$SHARED"
    cat >grid.yaml <<'YAML'
name: "<b>ours & theirs"
label: "a test <script>alert(1)</script>"
data: {name: synthetic, train: 200, test: 100}
networks: [{arch: alexnet, width: 0.0625, norm: bn}]
train: {epochs: 5, batch: 20, lr: 0.05}
schemes:
  - {scheme: uchida, bits: 64, strength: 3}
  - {scheme: v1, passport: random, layers: all}
  - {scheme: v1, passport: shuffle, images: 4}
attacks:
  - {attack: prune, levels: [0, 100]}
  - {attack: fake1, passport: random, repeats: 2}
verify: {nulls: 20, level: 0.01}
YAML
    passgrid run grid.yaml --out run
    passgrid report run
}

page() { cat "$SHARED/run/report.html"; }
chrome() { # chrome OPTION... FILE: the page in a browser; its messages go to the file `console`
    command -v chromium >/dev/null || skip "chromium is not installed"
    chromium --headless --no-sandbox --disable-gpu --disable-background-networking --user-data-dir="$PWD/profile" \
        --enable-logging=stderr "${@:1:$#-1}" "file://$PWD/${*: -1}" 2>console
}
# The page with a script at its end, which leaves what it finds in the title.
with() { page && echo "<script>$1</script>"; }

@test "the page answers the question first, with short names" {
    run page
    assert_output --regexp '<h2 id="answer">Which schemes stand under which attacks\?</h2>
<p class="answer">.*<h2 id="doubts">'
    assert_output --partial '<th scope="col">v1, random</th>'
    assert_output --partial '<th scope="row">fake1</th>'
    assert_output --partial '<td style="--s:100%">1/1</td>' # pruned: the outcome without weights does not count
}

@test "the page has every figure, table and task, and no text of the run becomes markup" {
    run page
    assert_equal "$(grep -o '<figure>' <<<"$output" | wc -l)" "$(find "$SHARED/run/figures" -name '*.gp' | wc -l)"
    for table in schemes removal ambiguity settings; do assert_output --partial "tables/$table.csv"; done
    assert_equal "$(grep -o '<i[^>]* title=' <<<"$output" | wc -l)" 9
    assert_output --partial '<h1>&lt;b&gt;ours &amp; theirs</h1>'
    refute_output --partial '<script>alert'
}

@test "every link of the page leads to one of its parts, and all parts have different names" {
    mapfile -t links < <(page | grep -o 'href="[^"]*"' | grep -v 'data:,' | sort -u)
    assert [ "${#links[@]}" -ge 5 ]
    for link in "${links[@]}"; do
        link=${link#href=\"#} && link=${link%\"}
        says "id=\"$link\"" "$SHARED/run/report.html"
    done
    run -0 bash -c "grep -oE ' id=[\"'\\''][^\"'\\'']*' '$SHARED/run/report.html' | sort | uniq -d"
    assert_output ''
}

@test "a browser shows the page without an error and without a request" {
    with 'document.title = performance.getEntriesByType("resource").length + " requests"' >page.html
    run -0 chrome --dump-dom page.html
    assert_output --partial '<title>0 requests</title>'
    says_not CONSOLE console
}

@test "the policy of the page forbids requests, and the browser would report one" {
    with 'new Image().src = "http://127.0.0.1:9/a.png"' >page.html
    run -0 chrome --dump-dom page.html
    says CONSOLE console
}

@test "clicking on the head of a column sorts the table" {
    with 'const b = [...document.querySelectorAll("table.sort th button")].find(b => b.textContent === "accuracy %"); b.click();
        const rows = () => [...b.closest("table").tBodies[0].rows].map(r => r.cells[b.parentNode.cellIndex].dataset.v);
        const up = rows().join(); b.click();
        document.title = b.parentNode.getAttribute("aria-sort") + " " + (up === rows().reverse().join()) + " " +
            (up === rows().map(Number).sort((x, y) => x - y).join())' >page.html
    run -0 chrome --dump-dom page.html
    assert_output --partial '<title>descending true true</title>'
}

@test "--pdf prints the page with a browser, and gives one line of error if there is none" {
    cp -a "$SHARED/run" run
    mkdir bin && ln -s "$(command -v gnuplot)" bin/
    run --separate-stderr -2 env PATH="$PWD/bin" "$PASSGRID" report run --pdf
    assert_stderr "passgrid report: --pdf: Chromium is not installed (Debian: chromium); run/report.html is written"
    assert_not_exists run/report.pdf
    command -v chromium >/dev/null || skip "chromium is not installed"
    run --separate-stderr -0 passgrid report run --pdf
    assert_equal "$(head -c 5 run/report.pdf)" "%PDF-"
}

@test "without gnuplot the page has everything but the figures" {
    cp -a "$SHARED/run" run
    run --separate-stderr -0 env PATH=/nowhere "$PASSGRID" report run
    assert_stderr --partial "gnuplot is not installed"
    says 'so there are no figures' run/report.html
}

@test "an incomplete run has a report, and one without any result has none" {
    cp -a "$SHARED/run" run
    task=$(grep -l '"attack": "prune"' run/records/* | head -n 1)
    mv "$task" kept
    run -0 passgrid report run
    says '1 of 9 tasks have no result' run/report.html
    rm run/records/*
    refuses "no task has a result yet" passgrid report run
}

@test "a report that cannot be written gives one line of error" {
    cp -a "$SHARED/run" run && rm run/report.html && mkdir run/report.html
    run --separate-stderr -3 passgrid report run
    assert_equal "${#stderr_lines[@]}" 1
    assert_stderr --partial 'run/report.html'
}
