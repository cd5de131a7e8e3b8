#!/bin/bash
# End to end: a network from files as the subject of a grid, and what attacks leave as files.
# usage: tests/e2e/subject.sh [PROGRAM], default $PASSGRID or build/passgrid; prints one line per check; exit code 1 if any failed
set -u
cd "$(dirname "$0")/../.." || exit 1
README=$PWD/configs/README.md
. tests/e2e/checks.bash

cat >there.yaml <<'END'
name: there
threads: 1
data: {name: synthetic, train: 96, test: 50}
networks: [{arch: alexnet, width: 0.0625}]
train: {epochs: 2, batch: 32, lr: 0.02, schedule: one-cycle}
schemes: [{scheme: plain}, {scheme: [v1, v2], passport: random}]
attacks:
  - {attack: unchanged}
  - {attack: prune, levels: [0, 90], keep: true}
  - {attack: finetune, mode: ftal, epochs: 1, keep: true}
  - {attack: invert, flips: [0, 50], keep: true}
verify: {nulls: 10}
END
sed '/^networks\|^train\|^schemes/d; s/there/here/' there.yaml >here.yaml
cat >>here.yaml <<'END'
seeds: [1, 2]
train: {epochs: 1}
schemes:
  - {scheme: plain, model: there/models/synthetic-alexnet-bn-plain-s1.safetensors}
  - {scheme: v1, model: there/models/synthetic-alexnet-bn-v1-s1.safetensors, evidence: there/evidence/synthetic-alexnet-bn-v1-s1.safetensors}
  - {scheme: v2, model: there/models/synthetic-alexnet-bn-v2-s1.safetensors, evidence: there/evidence/synthetic-alexnet-bn-v2-s1.safetensors}
END

idle() { says ' tasks done; results in ' && ! says ' start '; }

# ---- files under names ----------------------------------------------------------------------------------------------------------
check "the run that trains" code 0 "$PASSGRID" run there.yaml --out there
check "... says where the files are listed" says 'listed by name in artefacts.csv' out
at=synthetic-alexnet-bn
for name in models/$at-plain-s1 models/$at-v1-s1 evidence/$at-v2-s1 models/$at-v1-prune-level90-s1 models/$at-v2-finetune-s1 evidence/$at-v2-invert-flips50-s1; do
    check "... $name is there" test -L there/$name.safetensors -a -s there/$name.safetensors
    check "... and listed" says "$name.safetensors,synthetic/" there/artefacts.csv
done
check "... with checksums that hold" \
    bash -c "cd there && awk -F, 'NR > 1 { print \$5 \"  \" \$4 }' artefacts.csv | sha256sum --check --quiet"
check "... evidence is for its owner alone" test "$(stat -Lc %a there/evidence/* | sort -u)" = 600
check "a repeat" code 0 "$PASSGRID" run there.yaml --out there
check "... runs nothing" idle
cp -r there again
check "a grid that keeps nothing has the same tasks" code 0 "$PASSGRID" run there.yaml --out again --set attacks.1.keep=false --set attacks.3.keep=false
check "... runs nothing" idle
rm -r again
check "one that keeps less" code 0 "$PASSGRID" run there.yaml --out again --set attacks.1.keep=false
cp again/cells.csv cells.csv
check "... then more" code 0 "$PASSGRID" run there.yaml --out again
check "... runs those attacks again" says '; 3 of them now'
check "... the results are the same" cmp cells.csv again/cells.csv
check "... so are the files" same there again

# ---- a network from files ------------------------------------------------------------------------------------------------------
check "help names the keys" bash -c "\"$PASSGRID\" help config | grep -cE '^  (model|evidence|keep) ' | grep -qx 3"
check "plan of a grid with networks from files" code 0 "$PASSGRID" plan here.yaml --out here
check "... says which they are" grep -qE '^[0-9a-f]{8} brings there/models/.*-v1-s1.safetensors \(alexnet, bn, width 0.0625\) with there/evidence/' out
check "the run" code 0 "$PASSGRID" run here.yaml --out here
check "... counts no published numbers where there are none" bash -c "! grep -q 'published numbers: 0 reproduced, 0 same shape, 0 differs, 0' out"
check "... trains nothing" test "$(grep -c epoch= here/cells.csv)" = 0
check "... no path is in a record" test "$(cat here/records/* | grep -c there/)" = 0
cells() { # cells DIRECTORY ATTACK: scheme, outcome, metric and value of what draws nothing at random
    awk -F'"' -v OFS= '{ for (i = 2; i <= NF; i += 2) gsub(",", "", $i) } 1' "$1/cells.csv" |
        awk -F, -v attack="$2" '$8 == attack && $11 !~ /^epoch/ && $12 !~ /^accuracy_last|^best_epoch/ { print $5, $11, $12, $13 }' | sort
}
for attack in - prune unchanged; do
    cells there "$attack" >one
    cells here "$attack" >other
    check "the numbers of attack $attack are those of where the network was trained" cmp one other
    check "... there are some" test "$(wc -l <one)" -gt 10
done
check "pruning, which draws nothing, ran once for both seeds" test "$(grep -l '"prune"' here/records/* | wc -l)" = 3
mv there elsewhere
sed -i 's,there/,./elsewhere/,g' here.yaml
check "files that moved" code 0 "$PASSGRID" run here.yaml --out here
check "... make no new task" idle

# ---- before the judge ----------------------------------------------------------------------------------------------------------
mv elsewhere there
judged() { # judged MODEL EVIDENCE [OPTION...]: one claim, as JSON
    local model=$1 evidence=$2
    shift 2
    code 0 "$PASSGRID" judge --model "there/models/$at-$model.safetensors" --evidence "there/evidence/$at-$evidence.safetensors" \
        --test 50 --nulls 10 --json "$@"
}
number() { sed -n "s/.*\"$1\": *\([-0-9.e+]*\).*/\1/p" out | head -1; }
cell() { awk -F, -v t="/$1/" -v k=",$2,$3," 'index($0, t) && (i = index($0, k)) { split(substr($0, i + length(k)), v); print v[1] }' there/cells.csv; }
near() { # near A B: to the digits that are printed
    awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a != "" && b != "" && d <= 1e-6 * (b < 0 ? -b : b)) }' || { echo "     '$1' is not '$2'"; return 1; }
}
while read -r model evidence task outcome options; do
    check "judge of $model and $evidence" judged "$model" "$evidence" $options
    for metric in detection p_value; do
        check "... $metric is that of the table" near "$(number $metric)" "$(cell "$task" "$outcome" $metric)"
    done
done <<END
v2-s1 v2-s1 v2/s1 -
v2-prune-level90-s1 v2-s1 v2/prune level=90
v2-finetune-s1 v2-s1 v2/finetune -
v2-s1 v2-invert-flips50-s1 v2/invert flips=50
v1-prune-level90-s1 v1-s1 v1/prune level=90 --distributed there/evidence/$at-v1-s1.safetensors
END

# ---- files that do not fit -------------------------------------------------------------------------------------------------------
refused() { # refused TEXT ASSIGNMENT...: by the plan, in one line
    local text=$1 sets=()
    shift
    for one in "$@"; do sets+=(--set "$one"); done
    code 2 "$PASSGRID" plan here.yaml --out here "${sets[@]}" && test "$(wc -l <err)" = 1 && says "$text" err
}
sed -i 's,./elsewhere/,there/,g' here.yaml
cat >adi.yaml <<'END'
threads: 1
data: {name: synthetic, train: 96, test: 50}
networks: [{arch: alexnet, width: 0.0625}]
train: {epochs: 1, batch: 32}
schemes: [{scheme: adi, trigger_count: 5}]
END
check "a network with triggers" code 0 "$PASSGRID" run adi.yaml --out adi
cp adi/evidence/$at-adi-s1.safetensors triggers
head -c 5000 there/models/$at-v1-s1.safetensors >short
check "a file that is cut" refused 'short' schemes.1.model=short
check "evidence of another scheme" refused 'evidence of v1 has passports' "schemes.1.evidence=triggers"
check "a network of another scheme" refused 'but a network of v1 has' "schemes.1.model=there/models/$at-v2-s1.safetensors" "schemes.1.evidence=there/evidence/$at-v2-s1.safetensors"
check "another network than the grid's" refused 'list {arch: alexnet, norm: bn, width: 0.0625}' 'networks=[{arch: resnet9}]' \
    'schemes=[{scheme: plain, model: there/models/synthetic-alexnet-bn-plain-s1.safetensors}]'
check "options that say how to train" refused 'has no effect on a network that is not trained here' schemes.1.alpha=1
rm there/models/$at-v1-s1.safetensors
check "a file that is missing" refused 'v1-s1.safetensors: No such file' verify.nulls=5

# ---- the reference's example -------------------------------------------------------------------------------------------------------
awk '/^```yaml/ { inside = 1; text = ""; next } /^```/ { if (inside && text ~ /model: mine/) printf "%s", text; inside = 0 } inside { text = text $0 "\n" }' "$README" >mine.yaml
cp -L there/models/$at-v2-s1.safetensors mine.safetensors
cp there/evidence/$at-v2-s1.safetensors mine.evidence.safetensors
check "the reference's example" code 0 "$PASSGRID" run mine.yaml --out mine --set data.name=synthetic --set data.train=96 --set data.test=50 --set schemes.0.scheme=v2
check "... leaves what it says" says 'models/synthetic-alexnet-bn-v2-prune-level60-s0.safetensors,' mine/artefacts.csv

finish
