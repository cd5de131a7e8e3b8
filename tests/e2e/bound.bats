#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Bound evidence: from a secret, through a grid, to the judge and a time-stamping authority.
load ../common
load authority

setup_file() {
    cd "$SHARED"
    passgrid secret new secret
    cat >bound.yaml <<YAML
name: bound
data: {name: synthetic, train: 200, test: 100}
networks: [{arch: alexnet, width: 0.0625, norm: bn}]
train: {epochs: 5, batch: 20, lr: 0.05}
schemes:
  - {scheme: uchida, bits: 160, strength: 3, projection: signs, bound: true, secret: "file:$SHARED/secret", statement: "Alice, 2026"}
  - {scheme: uchida, bits: 160, strength: 3, projection: signs, bound: true}
  - {scheme: neuralmark, bits: 160, rounds: 1, pooled: 200, strength: 500, bound: true, secret: "file:$SHARED/secret"}
attacks:
  - {attack: grind, bits: 160, tries: [1, 20], schemes: [uchida]}
YAML
    passgrid run bound.yaml --out grid
    for task in $(awk -F, '$1 ~ /uchida\/s1/ && $(NF-3) == "proves" {print $1}' grid/cells.csv); do
        key=${task##*/}
        cp "$(ls grid/models/"$key"*.safetensors)" "model-$key"
        cp "$(ls grid/evidence/"$key"*.safetensors)" "evidence-$key"
        if grep -aq '"bound":"secret"' "evidence-$key"; then name=alice; else name=seeded; fi
        mv "model-$key" $name.model && mv "evidence-$key" $name.evidence
    done
    key=$(awk -F, '$1 ~ /neuralmark\/s1/ {print $1; exit}' grid/cells.csv)
    cp grid/models/"${key##*/}"*.safetensors filtered.model
    cp grid/evidence/"${key##*/}"*.safetensors filtered.evidence
}

judge() { passgrid judge --dir "$BATS_TEST_TMPDIR" --test 100 --nulls 20 "$@"; }

@test "evidence that follows from a secret proves" {
    run -0 judge --model "$SHARED/alice.model" --evidence "$SHARED/alice.evidence" --exit-code
    assert_output --regexp 'verdict +proves'
    assert_output --regexp 'claimant says +Alice, 2026'
}

@test "a bound filtered mark proves, and a file with another filter is refused" {
    run -0 judge --model "$SHARED/filtered.model" --evidence "$SHARED/filtered.evidence" --exit-code
    assert_output --regexp 'verdict +proves'
    python3 - "$SHARED/filtered.evidence" other <<'PY'
import json, struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
length, = struct.unpack_from("<Q", data)
filters = [v for k, v in json.loads(data[8:8 + length]).items() if k.endswith(".mark_filter")]
struct.pack_into("<i", data, 8 + length + filters[0]["data_offsets"][0], 2)
open(sys.argv[2], "wb").write(data)
PY
    run -2 judge --model "$SHARED/filtered.model" --evidence other
    assert_output --partial 'does not follow from the secret'
}

@test "bound evidence proves nothing about a network that was not marked with it" {
    run -11 judge --model "$SHARED/seeded.model" --evidence "$SHARED/alice.evidence" --exit-code
    assert_output --partial 'neither: not significant'
}

@test "a secret that follows from the seed of a grid agrees, and the judge refuses its proof" {
    run -10 judge --model "$SHARED/seeded.model" --evidence "$SHARED/seeded.evidence" --exit-code
    assert_output --partial 'the secret follows from the seed of a grid'
}

@test "the same evidence under two names is one claim" {
    cp "$SHARED/alice.evidence" again
    run -0 judge --model "$SHARED/alice.model" --evidence "$SHARED/alice.evidence" --evidence again --exit-code
    assert_output --partial "the same claim as $SHARED/alice.evidence"
}

@test "a thief who puts another name over the owner's secret is refused" {
    sed 's/Alice, 2026/Mallory2026/' "$SHARED/alice.evidence" >mallory
    run -11 judge --model "$SHARED/alice.model" --evidence "$SHARED/alice.evidence" --evidence mallory --exit-code
    assert_output --partial 'mallory: '
    assert_output --partial 'does not follow from the secret'
}

@test "no file that a run publishes has the secret" {
    secret=$(cut -d' ' -f2 "$SHARED/secret")
    run ! grep -rlF --exclude-dir=evidence --exclude-dir=models "$secret" "$SHARED/grid"
}

@test "a ground secret never proves" {
    run awk -F, '$(NF-4) ~ /^tries=/ && $(NF-3) == "proves" {n++; sum += $(NF-2)} END {print n, sum}' "$SHARED/grid/cells.csv"
    assert_output '4 0'
}

@test "the judge prints how much would be enough, and writes a page" {
    cp "$SHARED/alice.evidence" '<b>.evidence'
    run -0 judge --model "$SHARED/seeded.model" --evidence '<b>.evidence' --evidence "$SHARED/seeded.evidence" --report page.html
    assert_output --regexp 'enough to agree +[0-9]+ of 160 bits; [0-9]+ agree'
    assert_output --regexp 'enough to prove +14[0-9] of 160 bits; [0-9]+ agree'
    assert_output --regexp 'enough to prove +evidence from a secret that nobody else can know'
    says 'Not proved: one claim agrees' page.html
    says '<h3>&lt;b&gt;.evidence</h3>' page.html
    says "$(sha256sum <"$SHARED/seeded.model" | cut -d' ' -f1)" page.html
    says '<dd>Alice, 2026</dd>' page.html
}

@test "if the page cannot be written, the judge prints the verdict and one line of error" {
    mkdir page.html
    run --separate-stderr -3 judge --model "$SHARED/alice.model" --evidence "$SHARED/alice.evidence" --report page.html
    assert_output --regexp 'verdict +proves'
    assert_equal "${#stderr_lines[@]}" 1
    assert_stderr --partial 'page.html'
}

@test "a report or a query never overwrites a file that is read" {
    cp "$SHARED/alice.evidence" mine
    run -2 passgrid judge --model "$SHARED/alice.model" --evidence mine --report ./mine
    assert_output 'passgrid judge: --report: ./mine is the file of --evidence too'
    run -2 passgrid commit --model "$SHARED/alice.model" --evidence mine --query mine
    assert_output 'passgrid commit: --query: mine is the file of --evidence too'
    cmp mine "$SHARED/alice.evidence"
}

commit() { passgrid commit --evidence "$SHARED/alice.evidence" --model "$SHARED/${1:-alice}.model" "${@:2}"; }

@test "a stamp holds only for its pair of files and its authority" {
    authority
    run -0 commit alice --query q.tsq
    commitment=$output
    grant_stamp q.tsq r.tsr
    run -0 commit alice --reply r.tsr --tsa-ca ca.pem
    assert_line "$commitment"
    assert_line --regexp "^stamped +$(date -u +%Y)-"

    run -2 commit seeded --reply r.tsr --tsa-ca ca.pem
    assert_output --partial 'message imprint mismatch'
    run -2 commit alice --reply r.tsr --tsa-ca other.pem
    assert_output --partial 'certificate verify error'
    run -2 commit alice --reply q.tsq --tsa-ca ca.pem
    assert_output --partial 'not a reply of a time-stamping authority'
    run -2 commit alice --reply r.tsr
    assert_output --partial 'needs --tsa-ca'
}

@test "a secret is never replaced" {
    run -2 passgrid secret new "$SHARED/secret"
    assert_output --partial 'already exists'
}
