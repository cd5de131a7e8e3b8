#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Fetching a data set from a server: whole, in parts, and again.
PASSGRID=${PASSGRID:-$BATS_TEST_DIRNAME/../../build/tests/plugin}
load ../common

setup_file() {
    cd "$SHARED"
    python3 "$BATS_TEST_DIRNAME/server.py" 3>&- &
    echo $! >pid
    await [ -s port ]
}

teardown_file() {
    kill "$(cat "$SHARED/pid")"
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    rm -f "$SHARED/asked"
}

fetch() { # fetch HOW [ARGUMENTS...]
    local how=$1
    shift
    passgrid data fetch served --dir data --from "http://127.0.0.1:$(cat "$SHARED/port")/$how" "$@"
}
asked() { assert_equal "$(xargs <"$SHARED/asked")" "$1"; }

@test "a file is fetched, checked, kept and not fetched again" {
    run -0 fetch whole
    assert_output --partial "served: fetching from http://127.0.0.1"
    assert_output --partial "served: ready: data/served"
    assert_equal "$(find data -mindepth 1 -printf '%P ' | tr -d '\n')" "served served/served.bin "
    run -0 fetch whole
    assert_output "served: already there: data/served"
    asked -
    run -0 passgrid data list --dir data
    assert_output --partial "ready: 400 training and 100 test images (the served file)"
}

@test "a lost connection leaves the part, and the next fetch continues it" {
    run -3 fetch cut
    assert_output --partial "passgrid data: curl failed: curl: (18)"
    assert_file_size_equals data/fetch-served.part/from/served.bin 768250
    run -0 passgrid data list --dir data
    assert_output --partial "fetch it with"
    run -0 fetch cut
    asked "- bytes=768250-"
    assert_equal "$(ls data)" served
}

@test "a server that cannot continue sends the whole file again" {
    run -3 fetch cut
    run -0 fetch plain
    asked "- bytes=768250- -"
    assert_equal "$(ls data)" served
}

@test "a part that is no part of the file is fetched anew" {
    mkdir -p data/fetch-served.part/from
    head -c 1000 /dev/zero >data/fetch-served.part/from/served.bin
    run -0 fetch whole
    asked "bytes=1000- -"
    mv data/served/served.bin whole.bin
    rm -r data/served
    mkdir -p data/fetch-served.part/from
    cat whole.bin whole.bin >data/fetch-served.part/from/served.bin
    run -0 fetch whole
    asked "bytes=1000- - bytes=3073000- -"
    cmp whole.bin data/served/served.bin
}

@test "a file with a wrong checksum is named and removed" {
    run -3 fetch wrong
    assert_output --partial "passgrid data: served.bin: its checksum is"
    assert_equal "$(ls data)" ""
    asked -
}

@test "a file may come from a folder" {
    run -0 fetch whole
    run -0 passgrid data fetch served --dir other --from "file://$PWD/data/served"
    cmp data/served/served.bin other/served/served.bin
}

@test "a damaged folder is not replaced, but named" {
    run -0 fetch whole
    echo damaged >data/served/served.bin
    run -2 fetch whole
    assert_output --partial "damaged; remove data/served, then repeat: data/served/served.bin: it has 8 bytes"
    assert_file_contains data/served/served.bin damaged
}

@test "the publisher is asked if no server is named" {
    run -3 passgrid data fetch served --dir data
    assert_output --partial "served: fetching from nobody"
    assert_output --partial "passgrid data: curl failed: curl: (7)"
    assert_equal "$(ls data)" ""
}

@test "two processes that fetch at once fetch the file once" {
    fetch whole >one 2>&1 3>&- &
    run -0 fetch whole
    wait $!
    asked -
    assert_equal "$(ls data)" served
}
