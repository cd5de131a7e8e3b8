#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Commands that look and change nothing: plan, why, doctor; and what reports say of null models, chains and near levels.
load ../common

small=(--set 'attacks=[{attack: prune, levels: [50]}]' --set 'schemes=[{scheme: plain}]' --set 'seeds=[1]')
nulls=(--set 'attacks=[]' --set 'schemes=[{scheme: v1}, {scheme: adi, trigger_count: 20}]' --set null_models=2 --set 'seeds=[1, 2]')
chain=(--set 'schemes=[{scheme: adi, trigger_count: 20}]' --set 'seeds=[1]'
    --set 'attacks=[{attack: counterfeit-triggers, count: 20, steps: 200}, {attack: prune, levels: [0, 100], after: counterfeit-triggers}]')
near=(--set 'attacks=[{attack: unchanged}, {attack: prune, levels: [33.3333331, 33.3333332]}]' --set 'schemes=[{scheme: plain}]'
    --set 'seeds=[1]')
signed=(--set 'schemes=[{scheme: v1, passport: random, signature: "ab"}]' --set 'seeds=[1]' --set 'attacks=[]')

setup_file() {
    cd "$SHARED"
    passgrid run "$GRID" --out run "${small[@]}"
}

plan() { "$PASSGRID" plan "$GRID" "$@"; }
why() { "$PASSGRID" why "$1" "$GRID" "${@:2}"; }
field() { awk -v name="$1" -v n="$2" '$5 ~ name { print $n; exit }' <<<"$output"; } # field NAME N: of the task in the plan
differences() { grep '^  ' <<<"$output"; }

# ---- plan ---------------------------------------------------------------------------------------------------------------------
@test "plan shows tasks, parents, the longest path and an estimate, and makes no directory" {
    run -0 plan --out run "${small[@]}"
    assert_line '2 tasks: 0 done, 0 failed, 0 interrupted, 2 new'
    assert_equal "$(field prune/s1 6)" "$(field plain/s1 1)"
    assert_equal "$(sed -n '/^longest path/,/^2 tasks/p' <<<"$output" | grep -c synthetic/)" 2
    assert_line 'estimated from the speed of a typical thread: no task was timed in run'
    assert_line --regexp '^[a-z0-9]+-[a-z]+: 2 tasks left, [0-9.e+]+ multiply-adds, [0-9.e-]+ rank hours$'
    assert_line --regexp '^remaining: .* rank hours '
    assert_line --regexp '^memory: about [0-9]+ MB a rank, planned from .*; 0 of 2 tasks were measured$'
    assert_line --regexp '^allocations of 12\.00 hours: 1 with 1 worker; the longest path alone needs 1 '
    assert_line --regexp '^Slurm: sbatch --ntasks=1 --cpus-per-task=1 --mem-per-cpu=[12]00M --time=0:05:00 slurm/passgrid.sbatch [^ ]*/grid\.yaml --out run --set \.\.\.$'
    assert_not_exists run
}

@test "plan --simulate says how long the grid takes on so many cores" {
    run -0 plan --out run "${small[@]}" --simulate 1,64 --allocation 60
    assert_line --regexp '^ +cores +ranks +threads +hours +idle % +allocations +longest path$'
    assert_line --regexp '^ +1 +1 +1 +0\.0[0-9] +0\.0 +1 +1$'
    assert_line --regexp '^ +64 +[0-9]+ +[0-9]+ +0\.0'
    assert_not_exists run
    for bad in 0 '1,' 1,x ''; do run -2 plan --out run "${small[@]}" --simulate "$bad" && assert_output --partial "--simulate: expected numbers of cores"; done
}

@test "plan reports that a run is at work" {
    mkdir busy
    echo "1 other 1" >busy/run.lock
    run -0 plan --out busy "${small[@]}"
    assert_line --regexp '^busy/run.lock exists: a run is active'
}

@test "plan works for every grid of configs without its data" {
    mkdir nothing
    for config in "$ROOT"/configs/*.yaml "$ROOT"/configs/paper/*.yaml; do
        run -0 passgrid plan "$config" --data nothing --out run
        for profile in $(sed -n '/^profiles:/,$ s/^  \([a-z0-9]*\):$/\1/p' "$config"); do
            run -0 passgrid plan "$config" --profile "$profile" --data nothing --out run
        done
    done
}

@test "there is a grid for every published table that one can fill" {
    python3 - "$ROOT" <<'PY'
import csv, glob, os, sys
root = sys.argv[1]
tables = {row["table"] for path in glob.glob(root + "/results/published/*.csv")
          for row in csv.DictReader(open(path)) if row.get("table")}
grids = {os.path.basename(path)[:-5] for path in glob.glob(root + "/configs/paper/*.yaml")}
without = {"short-runs"}
assert grids == tables - without, (grids ^ (tables - without))
PY
}

@test "plan of a finished run says that nothing is left to do, and estimates from its timings" {
    borrow run
    run -0 plan --out run "${small[@]}"
    assert_line --regexp '^2 tasks: 2 done'
    assert_line --regexp '^remaining: 0.0 s on one rank'
    assert_line --regexp '^estimated from 2 tasks'
    assert_line --regexp '^memory: at most [0-9]+ MB a rank, measured in run$'
    refute_output --partial 'Slurm:'
    sed -i '2s/[0-9.e+-]*$/3210/' run/timings.csv # as if a task had taken that many megabytes
    run -0 plan --out run "${small[@]}"
    assert_line 'memory: at most 3210 MB a rank, measured in run'
    sed -i 's/\(plain\/s1[^,]*,0,\)[0-9.e+-]*/\1600/' run/timings.csv # as if training had taken ten minutes
    run -0 plan --out run "${small[@]}" --set 'seeds=[1, 2]'
    assert_equal "$(field plain/s2 3)" 600.0
    echo damaged >run/timings.csv
    run -0 plan --out run "${small[@]}"
    assert_line --regexp '^estimated from the speed of a typical thread: no task was timed in run'
}

@test "plan with damaged data is refused" {
    mkdir data
    echo damaged >data/cifar10.safetensors
    run -2 passgrid plan "$ROOT/configs/fast.yaml" --data data --out run
    assert_output --partial 'data/cifar10.safetensors: the file is damaged'
}

# ---- null models ----------------------------------------------------------------------------------------------------------------
@test "plan counts null models: one more plain network than seeds, shared by the thresholds" {
    run -0 plan --out nulls "${nulls[@]}"
    assert_equal "$(grep -c " new .*/plain/" <<<"$output")" 3
    assert_equal "$(field adi/threshold/s1 6)" "$(field adi/s1/ 1),$(field plain/s2 1),$(field plain/s3 1)"
    assert_line --regexp '^shared: 3 tasks'
    run -2 plan "${nulls[@]}" --set verify.nulls=0
    assert_output --partial 'null_models: null models need fresh evidence: set verify.nulls to at least 2'
}

@test "null models give a threshold beside the p-value, and gammas of every channel" {
    run -0 passgrid run "$GRID" --out nulls "${nulls[@]}"
    says 'p-value at most,null models' nulls/tables/schemes.csv
    value() { awk -F, -v m="$1" '$0 ~ "/adi/threshold/s1/" && $0 ~ "," m ","' nulls/cells.csv | sed "s/.*,$1,//;s/,.*//"; }
    # 3 fresh trigger sets of 20 pictures on each of 2 networks
    assert_equal "$(value null_models) $(value null_model_keys) $(value null_model_length)" "2 3 20"
    # theta is T(L) of L
    awk "BEGIN { exit !($(value null_model_threshold) > 0 && ($(value null_model_threshold) - 5 * $(value null_model_count))^2 < 1e-9) }"
    channels() { sed -n "s,.*/$1/s1/.*gamma_channels\,\([0-9]*\).*,\1,p" nulls/cells.csv | awk '{ n += $1 } END { print n }'; }
    assert_equal "$(channels v1) $(channels plain)" "64 64"
}

# ---- an attack after another --------------------------------------------------------------------------------------------------
@test "an attack that follows another reports on the evidence that the first one forged" {
    run -0 passgrid run "$GRID" --out chain "${chain[@]}"
    says 'forged %' chain/tables/removal.csv
    forged() { sed -n "s/.*,level=$1,forged_detection,\([0-9.]*\).*/\1/p" chain/cells.csv; }
    # as it was forged if nothing is pruned, and by guessing if everything is
    assert_equal "$(forged 0)" "$(sed -n 's/.*counterfeit-triggers.*,1,-,detection,\([0-9.]*\).*/\1/p' chain/cells.csv)"
    awk "BEGIN { exit !($(forged 0) > 2 * $(forged 100)) }"
}

@test "an attack cannot follow one that is not listed before it, or that forges nothing" {
    run -2 plan "${chain[@]}" --set 'attacks.0={attack: prune}'
    assert_output --partial 'attacks.1.after: no earlier attack is a counterfeit-triggers'
    run -2 plan "${chain[@]}" --set attacks.1.after=finetune
    assert_output --partial 'attacks.1.after: expected one of counterfeit-uchida, counterfeit-triggers'
}

@test "an attack that applies to no scheme of the grid is named" {
    local idle='without effect, because the grid has no scheme to which they apply: attacks.1 (fake1)'
    run -0 plan --set 'schemes=[{scheme: v2}]' --set 'attacks=[{attack: prune}, {attack: fake1, schemes: [v1]}]'
    assert_line "$idle"
    run -0 plan --set 'schemes=[{scheme: v1}]' --set 'attacks=[{attack: prune}, {attack: fake1, schemes: [v1]}]'
    refute_output --partial 'without effect'
}

# ---- reports ------------------------------------------------------------------------------------------------------------------
@test "levels that nearly agree have separate rows, and controls and trainings are told apart" {
    run -0 passgrid run "$GRID" --out near "${near[@]}"
    assert_equal "$(cut -d, -f6 near/tables/removal.csv | grep -c '^level=33.333333[12]$')" 2
    assert_equal "$(cut -d, -f5 near/tables/removal.csv | sort -u | tr '\n' ' ')" "attack before prune unchanged "
    # an attack under its former name is the same task
    run -0 plan --out near "${near[@]}" --set 'attacks=[{attack: null}]'
    assert_line --regexp '^2 tasks: 2 done'
}

@test "a program away from its published numbers says that it compares with nothing" {
    borrow run
    cp "$PASSGRID" elsewhere
    run -0 env PASSGRID_SHARE="$PWD/nothing" ./elsewhere table run
    assert_output --partial 'no comparison with published numbers, because they were not found: '
    assert_output --partial '/nothing/published is not there'
}

# ---- why ----------------------------------------------------------------------------------------------------------------------
@test "why says that no task is finished" {
    run -0 plan --out run "${small[@]}"
    run -0 why "$(field prune/s1 1)" --out run "${small[@]}"
    assert_line 'no task is finished in run'
}

@test "why of a finished task says so, and where its record is" {
    borrow run
    run -0 plan --out run "${small[@]}"
    run -0 why "$(field prune/s1 1)" --out run "${small[@]}"
    assert_line --regexp '^synthetic/.* is done$'
    assert_file_not_empty "$(sed -n 's/^record: //p' <<<"$output")"
}

@test "why names the nearest finished task and the one field that differs" {
    borrow run
    run -0 plan --out run "${small[@]}" --set train.epochs=3
    run -0 why "$(field plain/s1 5)" --out run "${small[@]}" --set train.epochs=3
    assert_line --regexp '^nearest of 2 finished tasks: synthetic/alexnet-bn/plain/s1/'
    assert_equal "$(differences)" "  train.epochs: 3 here, 2 there"
}

@test "why shows no secret" {
    run -0 passgrid run "$GRID" --out signed "${signed[@]}"
    run -0 plan --out signed "${signed[@]}" --set train.epochs=3
    run -0 why "$(field v1/s1 1)" --out signed "${signed[@]}" --set train.epochs=3
    assert_equal "$(differences)" "  train.epochs: 3 here, 2 there"
    run -0 plan --out signed "${signed[@]}" --set schemes.0.signature=zq
    run -0 why "$(field v1/s1 1)" --out signed "${signed[@]}" --set schemes.0.signature=zq
    assert_equal "$(differences | sed 's/sha256:[0-9a-f]*/HASH/g')" "  scheme.signature: HASH here, HASH there"
}

@test "why of a task that does not exist, or of none, is refused" {
    run -2 why nonsense --out run "${small[@]}"
    assert_output --partial "no task with the name or key 'nonsense'"
    run -2 passgrid why "$GRID"
}

# ---- doctor -------------------------------------------------------------------------------------------------------------------
@test "doctor checks MPI, binding, BLIS, data, space and writes, and leaves nothing" {
    mkdir data
    run -0 passgrid doctor --out run/of/the/future --data data
    for what in mpi binding blis speed data space writes; do assert_line --regexp "^ok +$what "; done
    assert_line --regexp '^- +data .*cifar10 is missing' # which is no fault
    assert_not_exists run
    assert_equal "$(find . -name '*doctor*')" ""
}

@test "doctor finds damaged data, a directory that cannot be written, and a missing mpirun" {
    mkdir data empty
    echo damaged >data/cifar10.safetensors
    run -2 passgrid doctor --data data
    assert_line --regexp '^WRONG +data .*data/cifar10.safetensors: the file is damaged'
    run -2 passgrid doctor --data data --out /proc
    assert_line --regexp '^WRONG +writes +/proc'
    run -2 env PATH= "$PASSGRID" doctor --data empty
    assert_line --regexp '^WRONG +mpi .*install openmpi-bin'
}

@test "kernels are chosen by name or number, and unknown or unsupported ones are refused" {
    [ "$(uname -m)" = x86_64 ] || skip "the names are those of x86-64 kernels"
    look() { env "$1" "$PASSGRID" bench --arch alexnet --width 0.0625 --mode eval --steps 1; }
    run -0 look BLIS_ARCH_TYPE=penryn
    assert_line "kernels: penryn"
    run -0 look BLIS_ARCH_TYPE=5 # BLIS's number of them
    assert_line "kernels: penryn"
    run -0 look LIBXSMM_TARGET=0
    assert_line "products: BLIS"
    for setting in BLIS_ARCH_TYPE=nonsense BLIS_ARCH_TYPE=99 BLIS_ARCH_TYPE=bgq BLIS_ARCH_TYPE= LIBXSMM_TARGET=nonsense; do
        refuses "passgrid bench: $setting: this processor runs the kernels " look $setting
    done
}
