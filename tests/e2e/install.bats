#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# make install and uninstall, and the installed program far from its source.
load ../common

installs() { make -s -C "$ROOT" BUILD="$(dirname "$PASSGRID")" CC="${CC:-gcc}" DESTDIR="$PWD/root" PREFIX=/opt/passgrid "$@"; }

@test "an installed program runs from any directory, with its numbers, configs, manual page, completion and scripts" {
    installs install
    mv root elsewhere && mkdir work && cd work
    local opt=$PWD/../elsewhere/opt/passgrid
    run -0 --separate-stderr "$opt/bin/passgrid" run "$opt/share/passgrid/configs/tiny.yaml" --out out
    assert_output --partial "published claims:"
    refute_output --partial "were not found"
    run -0 bash "$opt/share/passgrid/slurm/launch.sh" -n 2 -- "$opt/bin/passgrid" run "$opt/share/passgrid/configs/tiny.yaml" --out out
    run -0 head -n 1 "$opt/share/man/man1/passgrid.1"
    run -0 bash -c "source '$opt/share/bash-completion/completions/passgrid' && complete -p passgrid"
    assert_exists "$opt/share/zsh/site-functions/_passgrid"
    assert_exists "$opt/share/fish/vendor_completions.d/passgrid.fish"
    assert_exists "$opt/share/doc/passgrid/LICENSE"
    assert_exists "$opt/share/passgrid/slurm/passgrid.sbatch"
}

@test "the installed Slurm script runs the program that is installed with it" {
    installs install
    local opt=$PWD/root/opt/passgrid
    mkdir stubs
    printf '#!/bin/bash\necho "   Command=%s grid.yaml"\n' "$opt/share/passgrid/slurm/passgrid.sbatch" >stubs/scontrol
    printf '#!/bin/bash\ndate -d "+1 hour" +%%FT%%T\n' >stubs/squeue
    chmod +x stubs/*
    cp "$opt/share/passgrid/slurm/passgrid.sbatch" copied # as Slurm does
    run -0 env PATH="$PWD/stubs:$PATH" SLURM_JOB_ID=7 SLURM_JOB_NODELIST=here SLURM_NTASKS=1 PASSGRID_MPIRUN="--map-by slot --bind-to none" \
        bash copied "$opt/share/passgrid/configs/tiny.yaml" --out out
    assert_output --partial "exit code 0"
    assert_exists out/cells.csv
}

@test "uninstall removes what install made, and nothing else" {
    installs install
    echo mine >root/opt/passgrid/share/passgrid/configs/mine.yaml
    installs uninstall
    run -0 find root -type f
    assert_output root/opt/passgrid/share/passgrid/configs/mine.yaml
    rm "$output" && installs install && installs uninstall
    run -0 find root -type f
    assert_output ""
}
