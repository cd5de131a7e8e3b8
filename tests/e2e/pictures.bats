#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A data set of one's own: class folders of pictures, in a grid and before the judge.
load ../common

setup_file() {
    cd "$SHARED"
    mkdir -p birds/finch birds/owl
    base64 -d >owl.png <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAAAAABWESUoAAAAGElEQVR42mP0ZcAPmBhGFYwqGFUwQhUAAMWCAI3PbfkPAAAAAElFTkSuQmCC
PNG
    base64 -d >finch.png <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAAAAABWESUoAAAAFklEQVR42mPQIAAYRhWMKhhVMFIVAAAXdqABaUbUMwAAAABJRU5ErkJggg==
PNG
    for i in $(seq 40); do
        cp owl.png birds/owl/$i.png
        cp finch.png birds/finch/$i.png
    done
    cat >birds.yaml <<'YAML'
data: {name: birds, path: birds, size: 28, split: 0.25}
networks: [{arch: alexnet, width: 0.0625}]
train: {epochs: 1, batch: 16}
schemes: [{scheme: uchida, bits: 8}]
attacks: [{attack: prune, levels: [50]}]
YAML
    "$PASSGRID" run birds.yaml --out run
}

@test "a grid trains on pictures of a folder" {
    borrow run
    run -0 passgrid table run
    assert_output --partial "birds 28px"
    grep -q birds-28px run/artefacts.csv
}

@test "a relative path begins in the folder of the grid, also in the configuration of a run" {
    borrow run
    mkdir -p elsewhere grids
    cp -r "$SHARED/birds" "$SHARED/birds.yaml" grids
    run -0 passgrid plan grids/birds.yaml --out run
    assert_line --partial "2 tasks: 2 done"
    run -0 passgrid plan run/config.yaml --out run
    assert_line --partial "2 tasks: 2 done"
    refuses "$PWD/birds: the folder is missing" passgrid plan grids/birds.yaml --set data.path=birds
    run -0 passgrid plan grids/birds.yaml --out run --set data.path=grids/birds
    assert_line --partial "2 tasks: 2 done"
    run -0 passgrid plan /dev/stdin --out run <grids/birds.yaml
    assert_line --partial "2 tasks: 2 done"
}

@test "records do not say where the pictures are, and moving them makes no new task" {
    borrow run
    run -1 grep -rl "path" run/records
    cp -r "$SHARED/birds" elsewhere
    sed 's/path: birds/path: elsewhere/' "$SHARED/birds.yaml" >moved.yaml
    run -0 passgrid plan moved.yaml --out run
    assert_line --partial "2 tasks: 2 done"
    rm elsewhere/owl/1.png
    run -0 passgrid plan moved.yaml --out run
    assert_line --partial "2 tasks: 0 done"
}

@test "the judge reads the pictures by the same words" {
    local model="$SHARED/run/models/birds-28px-alexnet-bn-uchida-s1.safetensors"
    refuses "unknown data set 'birds'" passgrid judge --model "$model" --evidence "${model/models/evidence}"
    run -0 passgrid judge --model "$model" --evidence "${model/models/evidence}" \
        --data "{name: birds, path: $SHARED/birds, size: 28, split: 0.25}"
    assert_output --partial "20 test images of class folders of pictures"
    refute_output --partial "another checksum"
    run -0 passgrid judge --model "$model" --evidence "${model/models/evidence}" \
        --data "{name: birds, path: $SHARED/birds, size: 28, split: 0.5}"
    assert_output --partial "another checksum"
}

@test "a network moves from one folder to another" {
    sed -e "s|^data:.*|data: [{name: birds, path: $SHARED/birds, size: 28}, {name: others, path: $SHARED/birds, size: 28, split: 0.5}]|" \
        -e 's/^attacks:.*/attacks: [{attack: finetune, data: others, epochs: 1, batch: 16}]/' "$SHARED/birds.yaml" >moved.yaml
    run -0 passgrid run moved.yaml --out moved
    assert_equal "$(grep -c "uchida,finetune" moved/tables/removal.csv)" 2
    run -0 passgrid run moved.yaml --out moved
    assert_output --partial "4 tasks done"
}

@test "a wrong entry is refused at its place" {
    local head="networks: [{arch: alexnet}]
schemes: [{scheme: plain}]"
    check() {
        printf 'data: %s\n%s\n' "$2" "$head" >wrong.yaml
        refuses "$1" passgrid plan wrong.yaml
    }
    check "wrong.yaml:1:14: data.name: folder: the path is missing" "{name: folder}"
    check "wrong.yaml:1:14: data.name: passgrid knows a data set of this name" "{name: mnist, path: x}"
    check "data.name: expected at most 48 letters, digits" "{name: a/b, path: x}"
    check "data.size: has no effect without \`path\`" "{name: synthetic, size: 28}"
    check "nowhere: the folder is missing" "{name: birds, path: nowhere}"
    check "data.size: expected a whole number in [8, 1024]" "{name: birds, path: $SHARED/birds, size: 4}"
    check "other pictures have the same name and size" \
        "[{name: b, path: $SHARED/birds}, {name: b, path: $SHARED/birds, split: 0.5}]"
}
