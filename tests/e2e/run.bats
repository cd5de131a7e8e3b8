#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A tiny grid alone and under mpirun, the same bytes; repeats, failures, interruptions, bad configurations, faulty disks.
load ../common

setup_file() {
    cd "$SHARED"
    passgrid run "$GRID" --out alone >tables.txt
    long passgrid >/dev/null
    mv run long-alone
}
teardown() {
    end_launcher
    if [ -n "${mounted:-}" ]; then umount "$mounted"; fi
}

grid() { "$PASSGRID" run "$GRID" --out "$@"; }                   # grid DIR [OPTION...]
grid_on() { ranks "$1" "$PASSGRID" run "$GRID" --out "${@:2}"; } # grid_on RANKS DIR [OPTION...]
as_alone() { same "$SHARED/alone" "$1"; }
files() { find "$1" -type f -printf '%p %i %T@\n' | sort; }

# ---- the same bytes -----------------------------------------------------------------------------------------------------------
@test "a run prints and writes every table, with the grid's label" {
    says "end-to-end test: the numbers mean nothing" "$SHARED/tables.txt"
    for table in cells tables/schemes tables/removal tables/ambiguity; do assert_file_not_empty "$SHARED/alone/$table.csv"; done
}

@test "only the owner can read evidence" {
    assert_equal "$(stat -c %a "$SHARED/alone/evidence")" 700
    assert_equal "$(stat -Lc %a "$SHARED"/alone/evidence/* | sort -u)" 600
}

@test "a master and two workers write the same bytes and print the same tables" {
    grid_on 3 three >out
    as_alone three
    cmp out "$SHARED/tables.txt"
}

@test "one rank, a master and four workers, and two threads write the same bytes" {
    run -0 grid_on 1 one
    as_alone one
    run -0 grid_on 5 five
    as_alone five
    run -0 grid threads --threads 2
    as_alone threads
}

@test "a run warns about more threads than cores" {
    run -0 grid crowd --threads $(($(nproc) + 1)) --set 'seeds=[1]'
    assert_output --partial "$(($(nproc) + 1)) threads of 1 working rank share $(nproc) cores"
}

@test "a run warns about threads that are bound to one core" {
    run -0 taskset -c 0 mpirun --oversubscribe --bind-to none -n 3 "$PASSGRID" run "$GRID" --out workers --set 'seeds=[1]'
    assert_output --partial "2 threads of 2 working ranks share 1 core"
    run -0 taskset -c 0 "$PASSGRID" run "$GRID" --out bound --threads 2 --set 'seeds=[1]'
    [ "$(nproc)" = 1 ] || assert_output --partial "the 2 threads of rank 0 are bound to 1 of $(nproc) cores"
}

@test "more ranks than tasks complete all tasks" {
    run -0 grid_on 5 many --set 'schemes=[{scheme: plain}]' --set 'attacks=[]'
    assert_equal "$(ls many/records | wc -l)" 2
}

# ---- repeating ----------------------------------------------------------------------------------------------------------------
@test "a repeat of a finished run changes no file and prints the same tables" {
    borrow alone
    files alone >before
    grid alone >out
    cmp out "$SHARED/tables.txt"
    files alone | cmp before
    run -0 grid_on 3 alone
    files alone | cmp before
    # a run that failed just after its last record
    done_task=$(ls alone/records | head -n 1)
    touch "alone/checkpoints/${done_task%.json}.1.safetensors"
    run -0 grid alone
    files alone | cmp before
}

@test "table prints the same tables, and --figures adds no warnings of gnuplot" {
    borrow alone
    passgrid table alone >out
    cmp out "$SHARED/tables.txt"
    run -0 --separate-stderr passgrid table alone --figures
    refute [ -n "$(grep -v '^passgrid table: ' <<<"$stderr")" ]
}

@test "table finds the run of a grid file, with the options of run" {
    mkdir results
    borrow alone results/e2e
    passgrid table "$GRID" >out
    cmp out "$SHARED/tables.txt"
    refuses "results/other: not the directory of a run" passgrid table "$GRID" --set name=other
    refuses "results/e2e: --out, --profile, --set and --data need a grid file" passgrid table results/e2e --set name=other
}

@test "of an incomplete run, table says how to print it, plan counts it, and a repeat runs only what is missing" {
    borrow alone run
    rm run/records/"$(ls run/records | head -n 1)"
    run -2 passgrid table run
    assert_output --partial "passgrid table --partial"
    run -0 passgrid table --partial run
    assert_output --partial "incomplete:"
    run -0 passgrid plan "$GRID" --out run
    assert_output --partial ", 1 new"
    run -0 grid run
    assert_output --partial "1 of them now"
    as_alone run
}

# ---- two grids in one directory -----------------------------------------------------------------------------------------------
@test "a grid refuses the directory of another grid and changes nothing" {
    borrow alone
    run -2 --separate-stderr grid alone --set name=other
    assert_stderr --partial "alone belongs to the grid 'e2e', not to 'other': choose another --out, or add --replace"
    refute_output
}

@test "two grids in one directory share tasks with --replace, and keep their own tables" {
    # 3 trainings and 3 null attacks of the other grid are tasks of this one too; its 3 prunings are not.
    other() {
        grid shared --replace --set name=other --set 'seeds=[1]' --set 'attacks=[{attack: unchanged}, {attack: prune, levels: [50]}]'
    }
    run -0 other
    assert_output --partial "9 of them now"
    run -0 --separate-stderr grid shared --replace
    assert_stderr --partial "note: 3 finished tasks in shared no longer belong to this grid"
    assert_stderr --partial "20 of them now"
    assert_equal "$output" "$(cat "$SHARED/tables.txt")"
    cmp "$SHARED/alone/cells.csv" shared/cells.csv
    run -0 other
    refute_output --partial "of them now"
    for kind in csv md; do
        assert_not_exists shared/tables/ambiguity.$kind
        assert_file_not_empty shared/tables/removal.$kind
    done
}

# ---- a task that fails --------------------------------------------------------------------------------------------------------
@test "training that diverges is reported, dependent tasks are skipped, and a repeat runs only what failed" {
    bad=(--set 'seeds=[1]' --set 'schemes=[{scheme: plain}, {scheme: v2, passport: random, train: {lr: 1e6}}]')
    run -1 grid failing "${bad[@]}"
    assert_output --regexp 'the loss is not finite in epoch|after epoch 1: .* is not a finite number'
    assert_equal "$(grep -c ' skip ' <<<"$output")" 3
    assert_equal "$(ls failing/records | wc -l) $(ls failing/failed | wc -l)" "4 1"
    run -1 grid_on 3 failing "${bad[@]}"
    assert_equal "$(grep -c ' start ' <<<"$output")" 1
}

# ---- interruption -------------------------------------------------------------------------------------------------------------
long() { # long COMMAND...: a longer run, in `run`, which saves every epoch
    "$@" run "$GRID" --out run --set train.epochs=40 --set checkpoint=0 --set 'seeds=[1]' \
        --set 'attacks=[{attack: prune, levels: [50]}]' --set 'schemes=[{scheme: plain}, {scheme: v2, passport: random}]'
}
interrupted() { # interrupted SIGNAL TASKS COMMAND...: exit code 75 after the signal, which comes when so many trainings have begun
    (slowly run long exec env --default-signal=INT "${@:3}" >out 2>err 3>&-) &
    launcher=$!
    begun() { [ "$(grep -c ' start ' err)" = "$1" ]; }
    await begun "$2"
    kill "-$1" $launcher
    ends 75
}

@test "SIGINT leaves a checkpoint" {
    interrupted INT 1 "$PASSGRID"
    assert [ -n "$(ls run/checkpoints)" ]
}

@test "SIGTERM leaves a checkpoint" {
    interrupted TERM 1 "$PASSGRID"
    assert [ -n "$(ls run/checkpoints)" ]
}

@test "SIGUSR1 leaves a checkpoint, and the run can be resumed with the same bytes" {
    interrupted USR1 1 "$PASSGRID"
    assert [ -n "$(ls run/checkpoints)" ]
    run -0 long passgrid
    same "$SHARED/long-alone" run
}

@test "SIGUSR1 to mpirun leaves a checkpoint for each worker, and the run can be resumed with the same bytes" {
    interrupted USR1 2 mpirun --oversubscribe -n 3 "$PASSGRID"
    assert_equal "$(ls run/checkpoints | cut -d. -f1 | sort -u | wc -l)" 2
    run -0 long ranks 3 "$PASSGRID"
    same "$SHARED/long-alone" run
}

# ---- bad input ----------------------------------------------------------------------------------------------------------------
bad() { # bad ASSIGNMENT TEXT: the grid with it is refused in one line, and nothing is made
    refuses "$2" grid bad --set "$1"
    assert_not_exists bad
}

@test "a key that does not exist is refused, with a suggestion" {
    bad 'train.epoch=3' "train.epoch: unknown key, did you mean 'epochs'?"
    bad 'seed=[3]' "seed: unknown key, did you mean 'seeds'?"
    bad 'attacks.2.epochs=3' 'attacks.2.epochs: unknown key' # an option of another attack
}

@test "a value of another kind, or out of range, is refused" {
    bad 'train.lr=[0.1, 0.2]' 'train.lr: expected a number in (0, 1000000], got a list'
    bad 'verify.level=2' 'verify.level: expected a number in'
    bad 'data.train=99999' 'the data set has only 2048 training images, not 99999'
    bad 'schemes=[]' 'schemes: expected a list of maps'
}

@test "an unknown data set, network, layer, scheme or attack is refused, with a suggestion" {
    bad 'data.name=cifar' "did you mean 'cifar10'?"
    bad 'networks.0.arch=alexnett' "did you mean 'alexnet'?"
    bad 'schemes.0.scheme=plane' "did you mean 'plain'?"
    bad 'attacks.1.attack=finetunee' "did you mean 'finetune'?"
    bad 'attacks.3.schemes=[v9]' 'attacks.3.schemes.0: expected one of plain, v1'
    bad 'schemes.1.layers=features.77' "alexnet has no convolution 'features.77'"
}

@test "a data set that is missing is refused, and the message says how to get it" {
    refuses "passgrid data fetch cifar10" env PASSGRID_DATA=/nowhere "$PASSGRID" run "$GRID" --set data.name=cifar10 --out bad
}

@test "several problems are reported at once, one a line, and only once under mpirun" {
    run -2 grid bad --set train.epoch=3 --set seed=1 --set data.test=-1
    assert_lines 3
    run -2 grid_on 3 bad --set train.epoch=3
    assert_equal "$(grep -c 'unknown key' <<<"$output")" 1
}

@test "bad usage is refused, with a suggestion" {
    run -2 passgrid run nowhere.yaml
    run -2 passgrid run "$GRID" --outt bad
    assert_output --partial "unknown option '--outt', did you mean '--out'?"
    run -2 grid bad --threads
    assert_output --partial "option '--threads' needs a value"
    run -2 passgrid runn
    assert_output --partial "did you mean 'run'?"
}

@test "help config explains every section" {
    run -0 passgrid help config
    for key in data networks train schemes attacks after verify profiles profile; do assert_output --partial "$key: "; done
}

# ---- bench --------------------------------------------------------------------------------------------------------------------
tiny=(--arch alexnet --width 0.0625 --batch 2 --steps 2)

@test "bench dispatch runs every task" {
    run -0 ranks 3 "$PASSGRID" bench dispatch --tasks 1000
    assert_output --partial "workers: 2"
    assert_output --partial "tasks: 1000"
    assert_line --regexp '^tasks_per_s: [1-9]'
}

@test "bench dispatch --records writes a record for every task and removes them" {
    mkdir temporary
    export TMPDIR=$PWD/temporary
    run -0 ranks 3 "$PASSGRID" bench dispatch --records --tasks 200
    assert_line "tasks: 200"
    assert_equal "$(ls temporary)" ""
}

@test "bench dispatch that is interrupted leaves nothing behind" {
    mkdir temporary
    TMPDIR=$PWD/temporary mpirun --oversubscribe -n 3 "$PASSGRID" bench dispatch --tasks 500000 >out 2>err 3>&- &
    launcher=$!
    await eval 'test -s temporary/passgrid-dispatch-*/logs/run.log'
    kill -USR1 $launcher
    ends 75
    assert_equal "$(ls temporary)" ""
}

@test "bench --mode layers measures every convolution" {
    run -0 passgrid bench "${tiny[@]}" --mode layers
    assert_equal "$(grep -cE '^layer_features\.[0-9]+: .* [0-9.]+ GFLOPS ' <<<"$output")" 5
    assert_line --regexp '^blas_gflops: [0-9]'
}

@test "bench --mode model predicts the speed on more threads" {
    run -0 passgrid bench "${tiny[@]}" --mode model
    for threads in 1 2 4 8 16; do
        assert_line --regexp "^threads_$threads: [0-9.]+ images/s, [0-9]+ % of as many times one thread, [0-9.]+ GB/s$"
    done
    assert_line --regexp '^meetings_per_step: [1-9]'
    run -2 passgrid bench "${tiny[@]}" --mode model --threads 2
    assert_output --partial "--threads: --mode model measures one thread"
}

@test "bench --products blis multiplies with BLIS alone" {
    run -0 passgrid bench "${tiny[@]}" --mode eval --products blis
    assert_line "products: BLIS"
    run -2 passgrid bench "${tiny[@]}" --products mkl
    assert_output --partial "--products: expected one of auto, blis"
}

@test "bench --mode passports times every step" {
    run -0 passgrid bench "${tiny[@]}" --mode passports --scheme v1
    assert_equal "$(grep -cE '^seconds: [0-9.]+$' <<<"$output")" 2
}

@test "bench --turns runs one step for each line that it reads, and ends after the last" {
    mkfifo turns
    "$PASSGRID" bench "${tiny[@]}" --mode eval --turns <turns >stepped 3>&- &
    launcher=$!
    exec 5>turns
    echo >&5
    await grep -q '^seconds: ' stepped
    kill -0 $launcher
    assert_equal "$(grep -c '^seconds: ' stepped)" 1
    echo >&5
    exec 5>&-
    ends 0
    assert_equal "$(grep -c '^seconds: ' stepped)" 2
}

@test "bench refuses modes that do not exist, or that print no step" {
    run -2 passgrid bench "${tiny[@]}" --turns
    assert_output --partial "--turns: expected --mode train, eval or passports, not net"
    run -2 passgrid bench "${tiny[@]}" --mode nett
    assert_output --partial "--mode: expected one of net, train, eval, passports, layers, model"
}

# ---- disks --------------------------------------------------------------------------------------------------------------------
@test "an output directory that cannot be made gives one line of error with the path" {
    run -3 grid /dev/null/run
    assert_output --partial /dev/null
    assert_lines 1
    run -3 grid_on 3 /dev/null/run
}

@test "a full disk behind standard output is an error" {
    run -3 eval '"$PASSGRID" list attacks >/dev/full'
}

@test "a run completes if nobody reads its log or output" {
    mkfifo pipe
    exec 5<>pipe 6>pipe 5<&- # nobody reads what is written to 6
    grid log 2>&6
    as_alone log
    grid output >&6 2>&6
    as_alone output     # which has no lock either
    rm -r output/tables # as in a copy that git made of it
    passgrid table output >&6
    as_alone output
}

@test "a full disk is reported, and a repeat continues when there is room; a finished run may be read-only" {
    mkdir small
    mount -t tmpfs -o size=300k tmpfs small 2>/dev/null || skip "no permission to mount"
    mounted=$PWD/small
    run -3 grid small/run
    assert_output --partial "No space left on device"
    run -3 grid_on 3 small/run
    mount -o remount,size=50m small
    run -0 grid_on 3 small/run
    as_alone small/run
    mount -o remount,ro small
    run -0 grid small/run
    run -3 grid small/run --set train.epochs=1
    assert_lines 1
}
