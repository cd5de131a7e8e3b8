#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A user's own network in YAML, from the grid to the judge, and what a thief's dummy channels do to it.
load ../common

setup_file() {
    cd "$SHARED"
    (umask 077 && printf 'passgrid-secret-1 %064d\n' 7 >secret) # a fixed one: of fresh ones one in a thousand agrees anywhere
    mkdir nets
    cat >nets/mine.yaml <<YAML
summary: a small residual network
image: 32
rows:
  - {row: conv, channels: 20, name: stem, stride: 2}
  - {row: conv, channels: 20, name: inner, passport: true}
  - {row: conv, channels: 20, name: outer, relu: false}
  - {row: add, with: stem}
  - {row: global_pool, side: 2}
  - {row: dropout, rate: 0.1}
  - {row: dense, name: classifier}
YAML
    cat >nets/grid.yaml <<YAML
name: own
data: {name: synthetic, train: 200, test: 100}
networks: [{arch: mine.yaml, norm: bn}]
train: {epochs: 5, batch: 20, lr: 0.05}
schemes: [{scheme: uchida, bits: 160, strength: 3, projection: signs, bound: true, secret: "file:$SHARED/secret"}]
attacks: [{attack: rewrite, dummies: all, keep: true}]
YAML
    passgrid run nets/grid.yaml --out run
}

keys() { passgrid plan "$@" | awk '/ own| synthetic/ {print $1}'; }

@test "the key of a task depends on the rows, and on nothing else of the file" {
    borrow nets
    keys nets/grid.yaml >before
    {
        echo '# a comment'
        sed 's/ a small / another /; s/stride: 2/kernel: 3, stride: 2, pad: 1/' "$SHARED/nets/mine.yaml"
    } >nets/mine.yaml
    keys nets/grid.yaml >same
    assert_files_equal before same
    sed 's/rate: 0.1/rate: 0.2/' "$SHARED/nets/mine.yaml" >nets/mine.yaml
    keys nets/grid.yaml >other
    run -1 cmp -s before other
}

@test "shapes that do not fit are told with file, line, row and both shapes" {
    borrow nets
    sed -i 's/name: outer, /name: outer, stride: 2, /' nets/mine.yaml
    refuses 'nets/mine.yaml:7:5: rows.3: add4: 8x8x20 cannot be added to 16x16x20' passgrid plan nets/grid.yaml
    run -2 passgrid plan nets/grid.yaml --set 'data={name: synthetic, train: 9999}'
    assert_line --partial 'the data set has only 2048 training images, not 9999'
    assert_line --partial 'nets/mine.yaml:7:5: rows.3: add4: 8x8x20 cannot be added to 16x16x20'
    assert_lines 2
    rm nets/mine.yaml
    refuses "nets/grid.yaml:3:19: networks.0.arch: $PWD/nets/mine.yaml: No such file or directory" passgrid plan nets/grid.yaml
}

judge() {
    passgrid judge --dir . --test 100 --model "$SHARED"/run/models/*-"$1"-s1.safetensors \
        --evidence "$SHARED"/run/evidence/*-uchida-s1.safetensors --exit-code "${@:2}"
}

@test "the judge needs no network file, because the model brings its rows along" {
    run -0 judge uchida
    assert_output --partial 'mine, bn, width 1, 10 classes'
    assert_output --regexp 'verdict +proves'
}

@test "half of the bits agree in a network with dummy channels, and all through the original" {
    run -11 judge rewrite
    assert_output --partial 'neither: not significant'
    run -10 judge rewrite --original "$SHARED"/run/models/*-uchida-s1.safetensors
    assert_output --partial 'mine-wide, bn, width 1, 10 classes'
    assert_output --regexp 'read through the original +1[56][0-9] of 160 agree'
}

@test "a thief trains a network from a file, also in a chain, with the same records by run and by task" {
    borrow nets
    sed -i '/^attacks/d; s/epochs: 5/epochs: 1/; s/mine.yaml, norm: bn/alexnet, width: 0.0625/; s/^schemes.*/schemes: [{scheme: plain}]/' nets/grid.yaml
    echo 'attacks: [{chain: [{attack: extract, arch: mine.yaml, epochs: 1, batch: 20}, {attack: prune, levels: [50]}]}]' \
        >>nets/grid.yaml
    passgrid run nets/grid.yaml --out whole
    for key in $("$PASSGRID" plan nets/grid.yaml --out none | awk '$5 ~ /\/plain\// {print $1}'); do
        passgrid task "$key" nets/grid.yaml --out run
    done
    assert_equal "$(ls run/records | wc -l)" 3
    passgrid run nets/grid.yaml --out run
    same whole run
    sed -i 's/channels: 20, name: stem/channels: 0, name: stem/' nets/mine.yaml
    refuses 'nets/mine.yaml:4:27: rows.0.channels: expected a whole number in [1, 16384], got 0' passgrid plan nets/grid.yaml
}

@test "import reads a state dict by a mapping, and names what does not fit" {
    model=$(echo "$SHARED"/run/models/*-uchida-s1.safetensors)
    printf 'network: %s\n' "$SHARED/nets/mine.yaml" >map.yaml
    run -0 passgrid import "$model" --map map.yaml --out again.safetensors
    assert_output --partial 'again.safetensors: mine, '
    printf 'network: lenet5\n' >map.yaml
    run -2 passgrid import "$model" --map map.yaml --out none.safetensors
    assert_output --partial "left over: 'stem.conv.weight' [20,3,3,3]"
    assert_output --partial "missing: 'conv1.conv.weight' [6,3,5,5]"
    assert_file_not_exist none.safetensors
}

# The state dict of the marked network as other code would save it: without metadata, one layer under another name.
rename() {
    python3 - "$1" "$2" <<'PY'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
head = json.loads(data[8:8 + size])
head.pop("__metadata__")
head = {key.replace("stem.conv.", "first."): value for key, value in head.items()}
text = json.dumps(head).encode()
text += b" " * (-len(text) % 8)
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + data[8 + size:])
PY
}

@test "judge and a grid read a state dict by its mapping" {
    rename "$SHARED"/run/models/*-uchida-s1.safetensors theirs.safetensors
    evidence=$(echo "$SHARED"/run/evidence/*-uchida-s1.safetensors)
    printf 'network: %s\ntensors: {first: stem.conv}\n' "$SHARED/nets/mine.yaml" >map.yaml
    run -0 passgrid judge --dir . --test 100 --data synthetic --model theirs.safetensors --map map.yaml --evidence "$evidence"
    assert_output --partial 'mine, bn, width 1, 10 classes'
    assert_output --regexp 'verdict +proves'
    cat >grid.yaml <<YAML
name: theirs
data: {name: synthetic, train: 200, test: 100}
schemes: [{scheme: uchida, model: theirs.safetensors, map: map.yaml, evidence: $evidence}]
attacks: [{attack: prune, levels: [50]}]
YAML
    run -0 passgrid plan grid.yaml --out theirs
    assert_output --partial 'theirs.safetensors (mine, bn, width 1) with '
    run -0 passgrid run grid.yaml --out theirs
    run -0 passgrid table theirs
    assert_output --regexp 'signature % +100\.00 '
    passgrid plan grid.yaml --out none | awk '/uchida/ {print $1}' >before
    sed -i 's/width 1/width 2/; 1i# another mapping' map.yaml
    passgrid plan grid.yaml --out none | awk '/uchida/ {print $1}' >after
    run -1 cmp -s before after
}

@test "what a mapping leaves over is one line, and nothing is written" {
    rename "$SHARED"/run/models/*-uchida-s1.safetensors theirs.safetensors
    evidence=$(echo "$SHARED"/run/evidence/*-uchida-s1.safetensors)
    printf 'network: %s\n' "$SHARED/nets/mine.yaml" >map.yaml
    run -2 passgrid judge --dir . --data synthetic --model theirs.safetensors --map map.yaml --evidence "$evidence"
    assert_output --partial "map.yaml: 2 problems, the first: map.yaml:1:1: missing: 'stem.conv.weight' [20,3,3,3]"
    assert_lines 1
    cat >grid.yaml <<YAML
name: theirs
data: {name: synthetic, train: 200, test: 100}
schemes: [{scheme: uchida, map: map.yaml}]
YAML
    run -2 passgrid run grid.yaml --out theirs
    assert_output --partial 'also write `model: FILE`, the state dict that it is for'
    assert_not_exist theirs
}

@test "groups that divide channels unevenly are told with line, row and numbers" {
    borrow nets
    sed -i 's/name: inner, passport: true/name: inner, groups: 3/' nets/mine.yaml
    refuses 'nets/mine.yaml:5:5: rows.1: inner: 3 groups cannot divide 20 input channels and 20 filters evenly' \
        passgrid plan nets/grid.yaml
    sed -i 's/groups: 3/groups: 0, passport: true/' nets/mine.yaml
    run -2 passgrid plan nets/grid.yaml
    assert_output --partial 'rows.1.passport: a convolution in groups cannot be a passport layer'
}
