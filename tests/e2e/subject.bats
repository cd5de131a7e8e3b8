#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A network from files as the subject of a grid, and what attacks leave as files.
load ../common

at=synthetic-alexnet-bn

setup_file() {
    cd "$SHARED"
    cat >there.yaml <<'YAML'
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
YAML
    sed '/^networks\|^train\|^schemes/d; s/there/here/' there.yaml >here.yaml
    cat >>here.yaml <<'YAML'
seeds: [1, 2]
train: {epochs: 1}
schemes:
  - {scheme: plain, model: there/models/synthetic-alexnet-bn-plain-s1.safetensors}
  - {scheme: v1, model: there/models/synthetic-alexnet-bn-v1-s1.safetensors, evidence: there/evidence/synthetic-alexnet-bn-v1-s1.safetensors}
  - {scheme: v2, model: there/models/synthetic-alexnet-bn-v2-s1.safetensors, evidence: there/evidence/synthetic-alexnet-bn-v2-s1.safetensors}
YAML
    passgrid run there.yaml --out there >trained
    passgrid run here.yaml --out here >judged
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    borrow there.yaml
    borrow here.yaml
    borrow there
}

idle() { # idle ARGUMENTS...: the run has nothing to do
    run -0 passgrid run "$@"
    assert_output --partial ' tasks done; results in '
    refute_output --partial ' start '
}

# ---- files under names ----------------------------------------------------------------------------------------------------------
@test "a run lists its models and evidence by name, with checksums that hold" {
    says 'listed by name in artefacts.csv' "$SHARED/trained"
    for name in models/$at-plain-s1 models/$at-v1-s1 evidence/$at-v2-s1 models/$at-v1-prune-level90-s1 models/$at-v2-finetune-s1 \
        evidence/$at-v2-invert-flips50-s1; do
        [ -L there/$name.safetensors ]
        assert_file_not_empty there/$name.safetensors
        says "$name.safetensors,synthetic/" there/artefacts.csv
    done
    cd there
    awk -F, 'NR > 1 { print $5 "  " $4 }' artefacts.csv | sha256sum --check --quiet
}

@test "only the owner can read evidence" {
    assert_equal "$(stat -Lc %a there/evidence/* | sort -u)" 600
}

@test "a repeat runs nothing, even if the grid keeps fewer files" {
    idle there.yaml --out there
    idle there.yaml --out there --set attacks.1.keep=false --set attacks.3.keep=false
}

@test "a grid that keeps more files runs those attacks again, with the same results" {
    run -0 passgrid run there.yaml --out again --set attacks.1.keep=false
    cp again/cells.csv cells.csv
    run -0 passgrid run there.yaml --out again
    assert_output --partial '; 3 of them now'
    cmp cells.csv again/cells.csv
    same there again
}

# ---- a network from files ------------------------------------------------------------------------------------------------------
@test "help names the keys model, evidence and keep" {
    run -0 passgrid help config
    assert_equal "$(grep -cE '^  (model|evidence|keep) ' <<<"$output")" 3
}

@test "plan of a grid with networks from files names the files" {
    run -0 passgrid plan here.yaml --out here
    assert_line --regexp '^[0-9a-f]{8} imports .*/there/models/.*-v1-s1.safetensors \(alexnet, bn, width 0.0625\) with .*/there/evidence/'
}

@test "a grid with networks from files trains nothing, and its records hold no path" {
    says_not 'published numbers: 0 reproduced, 0 same shape, 0 differs, 0' "$SHARED/judged"
    says_not epoch= "$SHARED/here/cells.csv"
    run -1 grep -rF there/ "$SHARED/here/records"
}

@test "attacks on networks from files give the numbers of the run that trained them" {
    cells() { # cells DIRECTORY ATTACK: scheme, outcome, metric and value of what draws nothing at random
        awk -F'"' -v OFS= '{ for (i = 2; i <= NF; i += 2) gsub(",", "", $i) } 1' "$SHARED/$1/cells.csv" |
            awk -F, -v attack="$2" \
                '$8 == attack && $11 !~ /^epoch/ && $12 !~ /^accuracy_last|^best_epoch/ { print $5, $11, $12, $13 }' | sort
    }
    for attack in - prune unchanged; do
        cells there "$attack" >one
        cells here "$attack" >other
        cmp one other
        [ "$(wc -l <one)" -gt 10 ]
    done
    # pruning draws nothing, so it ran once for both seeds
    assert_equal "$(grep -l '"prune"' "$SHARED"/here/records/* | wc -l)" 3
}

@test "moving files makes no new task" {
    borrow here
    mv there elsewhere
    sed -i 's,there/,./elsewhere/,g' here.yaml
    idle here.yaml --out here
}

# ---- before the judge ----------------------------------------------------------------------------------------------------------
@test "the judge finds the numbers of the table for models, pruned, fine-tuned and inverted" {
    number() { sed -n "s/.*\"$1\": *\([-0-9.e+]*\).*/\1/p" <<<"$output" | head -1; }
    cell() {
        awk -F, -v t="/$1/" -v k=",$2,$3," \
            'index($0, t) && (i = index($0, k)) { split(substr($0, i + length(k)), v); print v[1] }' there/cells.csv
    }
    near() { # near A B: to the digits that are printed
        awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(a != "" && b != "" && d <= 1e-6 * (b < 0 ? -b : b)) }'
    }
    while read -r model evidence task outcome options; do
        # shellcheck disable=SC2086 # a list
        run -0 passgrid judge --model "there/models/$at-$model.safetensors" --evidence "there/evidence/$at-$evidence.safetensors" \
            --test 50 --nulls 10 --json $options
        for metric in detection p_value; do near "$(number $metric)" "$(cell "$task" "$outcome" $metric)"; done
    done <<END
v2-s1 v2-s1 v2/s1 -
v2-prune-level90-s1 v2-s1 v2/prune level=90
v2-finetune-s1 v2-s1 v2/finetune -
v2-s1 v2-invert-flips50-s1 v2/invert flips=50
v1-prune-level90-s1 v1-s1 v1/prune level=90 --distributed there/evidence/$at-v1-s1.safetensors
END
}

# ---- files that do not fit -------------------------------------------------------------------------------------------------------
unfit() { # unfit TEXT ASSIGNMENT...: the plan refuses it in one line
    local sets=()
    for one in "${@:2}"; do sets+=(--set "$one"); done
    refuses "$1" passgrid plan here.yaml --out here "${sets[@]}"
}

@test "files of another scheme or network, cut files and missing files are refused" {
    cat >adi.yaml <<'YAML'
threads: 1
data: {name: synthetic, train: 96, test: 50}
networks: [{arch: alexnet, width: 0.0625}]
train: {epochs: 1, batch: 32}
schemes: [{scheme: adi, trigger_count: 5}]
YAML
    run -0 passgrid run adi.yaml --out adi
    cp adi/evidence/$at-adi-s1.safetensors triggers
    head -c 5000 there/models/$at-v1-s1.safetensors >short
    unfit 'short' schemes.1.model=short
    unfit 'evidence of v1 has passports' "schemes.1.evidence=triggers"
    unfit 'but one of v1 has' "schemes.1.model=there/models/$at-v2-s1.safetensors" \
        "schemes.1.evidence=there/evidence/$at-v2-s1.safetensors"
    unfit 'list {arch: alexnet, norm: bn, width: 0.0625}' 'networks=[{arch: resnet9}]' \
        'schemes=[{scheme: plain, model: there/models/synthetic-alexnet-bn-plain-s1.safetensors}]'
    unfit 'has no effect, because this network is not trained here' schemes.1.alpha=1
    rm there/models/$at-v1-s1.safetensors
    unfit 'v1-s1.safetensors: No such file' verify.nulls=5
}

# ---- the reference's example -------------------------------------------------------------------------------------------------------
@test "the example in configs/README.md runs, and leaves the files that it names" {
    awk '/^```yaml/ { inside = 1; text = ""; next } /^```/ { if (inside && text ~ /model: mine/) printf "%s", text; inside = 0 }
        inside { text = text $0 "\n" }' "$ROOT/configs/README.md" >mine.yaml
    cp -L there/models/$at-v2-s1.safetensors mine.safetensors
    cp there/evidence/$at-v2-s1.safetensors mine.evidence.safetensors
    run -0 passgrid run mine.yaml --out mine --set data.name=synthetic --set data.train=96 --set data.test=50 \
        --set schemes.0.scheme=v2
    says 'models/synthetic-alexnet-bn-v2-prune-level60-s0.safetensors,' mine/artefacts.csv
}
