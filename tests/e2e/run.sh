#!/bin/bash
# End to end: a tiny grid alone and under mpirun, the same bytes; repeats, failures, interruptions, bad configurations, faulty disks.
# usage: tests/e2e/run.sh [PROGRAM], default $PASSGRID or build/passgrid; prints one line per check; exit code 1 if any failed
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/checks.bash
mounted=
trap 'test -z "$mounted" || umount "$mounted"; rm -rf "$WORK"' EXIT

ranks() { # ranks N COMMAND...
    local n=$1
    shift
    mpirun --oversubscribe -n "$n" "$@"
}

files() { find "$1" -type f -printf '%p %i %T@\n' | sort; }
one_line() { test "$(wc -l <err)" -eq 1; }

# ---- the same bytes -----------------------------------------------------------------------------------------------------------
check "alone" code 0 "$PASSGRID" run "$GRID" --out alone
cp out tables.txt
check "tables carry the label" says "end-to-end test: the numbers mean nothing" out
check "every table is there" test -s alone/cells.csv -a -s alone/tables/schemes.csv -a -s alone/tables/removal.csv -a -s alone/tables/ambiguity.csv
check "evidence is for its owner alone" test "$(stat -c %a alone/evidence)" = 700 -a "$(stat -Lc %a alone/evidence/* | sort -u)" = 600
check "1 master, 2 workers" code 0 ranks 3 "$PASSGRID" run "$GRID" --out three
check "... same bytes" same alone three
check "... same tables" cmp out tables.txt
check "mpirun with 1 rank" code 0 ranks 1 "$PASSGRID" run "$GRID" --out one
check "... same bytes" same alone one
check "1 master, 4 workers" code 0 ranks 5 "$PASSGRID" run "$GRID" --out five
check "... same bytes" same alone five
check "2 threads" code 0 "$PASSGRID" run "$GRID" --out threads --threads 2
check "... same bytes" same alone threads
check "more threads than cores" code 0 "$PASSGRID" run "$GRID" --out crowd --threads $(($(nproc) + 1)) --set seeds=[1]
check "... are warned of" says "$(($(nproc) + 1)) threads of 1 working rank share $(nproc) cores"
check "threads bound to one core" code 0 taskset -c 0 "$PASSGRID" run "$GRID" --out bound --threads 2 --set seeds=[1]
test "$(nproc)" -eq 1 || check "... are warned of" says "the 2 threads of rank 0 are bound to 1 of $(nproc) cores"
check "two workers on one core" code 0 taskset -c 0 mpirun --oversubscribe --bind-to none -n 3 "$PASSGRID" run "$GRID" --out one-core \
    --set seeds=[1]
check "... are warned of" says "2 threads of 2 working ranks share 1 core"
check "more ranks than tasks" code 0 ranks 5 "$PASSGRID" run "$GRID" --out many --set 'schemes=[{scheme: plain}]' --set 'attacks=[]'
check "... are all done" test "$(ls many/records | wc -l)" -eq 2

# ---- repeating ----------------------------------------------------------------------------------------------------------------
files alone >before
check "repeat of a finished run" code 0 "$PASSGRID" run "$GRID" --out alone
check "... prints the tables" cmp out tables.txt
files alone >after
check "... changes no file" cmp before after
check "repeat under mpirun" code 0 ranks 3 "$PASSGRID" run "$GRID" --out alone
files alone >after
check "... changes no file" cmp before after
done_task=$(ls alone/records | head -n 1)
touch "alone/checkpoints/${done_task%.json}.1.safetensors"
check "repeat where a run failed just after its last record" code 0 "$PASSGRID" run "$GRID" --out alone
files alone >after
check "... leaves the finished run alone" cmp before after
check "table" code 0 "$PASSGRID" table alone
check "... prints the same" cmp out tables.txt
rm three/records/"$(ls three/records | head -n 1)"
check "table --figures" code 0 "$PASSGRID" table alone --figures
check "... gnuplot's warnings are not ours" test "$(grep -vc '^passgrid table: ' err)" = 0
rm -r alone/figures
check "table of an incomplete run" code 2 "$PASSGRID" table three
check "... says what to do" says "passgrid table --partial"
check "table --partial" code 0 "$PASSGRID" table --partial three
check "... says that it is incomplete" says "incomplete:" out
check "plan" code 0 "$PASSGRID" plan "$GRID" --out three
check "... knows the missing task" says ", 1 new" out
check "repeat runs only that" code 0 "$PASSGRID" run "$GRID" --out three
check "... one task" says "1 of them now"
check "... same bytes" same alone three

# ---- two grids in one directory -----------------------------------------------------------------------------------------------
# Of the other grid 3 trainings and 3 null attacks are tasks of this one too; its 3 prunings are not.
check "another grid in the directory of this one" code 2 "$PASSGRID" run "$GRID" --out alone --set name=other
check "... says whose that is" says "alone has the tables of the grid 'e2e', not of 'other': choose another --out, or add --replace"
check "... changes nothing" cmp out /dev/null
other() { "$PASSGRID" run "$GRID" --replace --out shared --set name=other --set seeds=[1] --set 'attacks=[{attack: unchanged}, {attack: prune, levels: [50]}]'; }
check "another grid" code 0 other
check "... runs its own tasks" says "9 of them now"
check "this grid in the same directory" code 0 "$PASSGRID" run "$GRID" --replace --out shared
check "... says what the tables leave out" says "note: 3 finished tasks in shared no longer belong to this grid"
check "... runs only what they do not share" says "20 of them now"
check "... same tables" cmp out tables.txt
check "... same cells" cmp alone/cells.csv shared/cells.csv
check "the other grid again" code 0 other
check "... runs nothing" eval '! says "of them now"'
check "... leaves no table of this one" test ! -e shared/tables/ambiguity.csv -a ! -e shared/tables/ambiguity.md
check "... and its own" test -s shared/tables/removal.csv -a -s shared/tables/removal.md

# ---- a task that fails --------------------------------------------------------------------------------------------------------
failing() { "$@" run "$GRID" --out failing --set seeds=[1] --set 'schemes=[{scheme: plain}, {scheme: v2, passport: random, train: {lr: 1e6}}]'; }
check "training that diverges" code 1 failing "$PASSGRID"
check "... is named" grep -qE 'the loss is not finite in epoch|after epoch 1: .* is not a finite number' err
check "... skips what depends on it" test "$(grep -c ' skip ' err)" -eq 3
check "... and nothing else" test "$(ls failing/records | wc -l)" -eq 4 -a "$(ls failing/failed | wc -l)" -eq 1
check "again, under mpirun" code 1 failing ranks 3 "$PASSGRID"
check "... tries only what failed" test "$(grep -c ' start ' err)" -eq 1

# ---- interruption -------------------------------------------------------------------------------------------------------------
long() {
    exec "$@" run "$GRID" --out "$out" --set train.epochs=40 --set 'seeds=[1]' --set 'attacks=[{attack: prune, levels: [50]}]' \
        --set 'schemes=[{scheme: plain}, {scheme: v2, passport: random}]'
}
interrupt() { # interrupt SIGNAL COMMAND...: exit code 75 after the signal, which comes when training has begun
    local signal=$1
    shift
    long "$@" >out 2>err &
    local pid=$!
    await grep -q ' start ' err
    sleep 0.7
    kill "-$signal" $pid
    wait $pid
    local got=$?
    test $got -eq 75 || { echo "     exit code $got, expected 75"; return 1; }
}
printf '#!/bin/sh\nexec mpirun --oversubscribe -n 3 "$@"\n' >mpi
chmod +x mpi
out=long-alone
check "a longer run" code 0 eval "(long $PASSGRID)"
for signal in INT TERM USR1; do
    out=long-$signal
    check "SIG$signal" interrupt $signal "$PASSGRID"
    check "... left a checkpoint" test -n "$(ls $out/checkpoints)"
done
check "... and can be resumed" code 0 eval "(long $PASSGRID)"
check "... same bytes" same long-alone $out
out=long-mpi
check "SIGUSR1 to mpirun" interrupt USR1 ./mpi "$PASSGRID"
check "... left a checkpoint for each worker" test "$(ls $out/checkpoints | cut -d. -f1 | sort -u | wc -l)" -eq 2
check "... and can be resumed" code 0 eval "(long ./mpi $PASSGRID)"
check "... same bytes" same long-alone $out

# ---- bad input ----------------------------------------------------------------------------------------------------------------
bad_line() {
    check "$1" code 2 "$PASSGRID" run "$GRID" --out bad --set "$2"
    check "... $3" says "$3"
    check "... in one line" one_line
    check "... and nothing is made" test ! -e bad
}
bad_line "a typo in a key" 'train.epoch=3' "train.epoch: unknown key, did you mean 'epochs'?"
bad_line "a typo at the top" 'seed=[3]' "seed: unknown key, did you mean 'seeds'?"
bad_line "a list where a number belongs" 'train.lr=[0.1, 0.2]' 'train.lr: expected a number in (0, 1000000], got a list'
bad_line "a number out of range" 'verify.level=2' 'verify.level: expected a number in'
bad_line "an unknown data set" 'data.name=cifar' "did you mean 'cifar10'?"
bad_line "more images than there are" 'data.train=99999' 'has 2048 training images, not 99999'
bad_line "an unknown network" 'networks.0.arch=alexnett' "did you mean 'alexnet'?"
bad_line "an unknown scheme" 'schemes.0.scheme=plane' "did you mean 'plain'?"
bad_line "an unknown attack" 'attacks.1.attack=finetunee' "did you mean 'finetune'?"
bad_line "an option of another attack" 'attacks.2.epochs=3' 'attacks.2.epochs: unknown key'
bad_line "an unknown scheme of an attack" 'attacks.3.schemes=[v9]' 'attacks.3.schemes.0: expected one of plain, v1'
bad_line "a passport layer that is not there" 'schemes.1.layers=features.77' "alexnet has no convolution 'features.77'"
bad_line "no schemes" 'schemes=[]' 'schemes: expected a list of maps'
check "a missing data set" code 2 env PASSGRID_DATA=/nowhere "$PASSGRID" run "$GRID" --set data.name=cifar10 --out bad
check "... says how to get it" says "passgrid data fetch cifar10"
check "... in one line" one_line
check "several problems at once" code 2 "$PASSGRID" run "$GRID" --set train.epoch=3 --set seed=1 --set data.test=-1 --out bad
check "... three lines" test "$(wc -l <err)" -eq 3
check "a bad configuration under mpirun" code 2 ranks 3 "$PASSGRID" run "$GRID" --set train.epoch=3 --out bad
check "... says it once" test "$(grep -c 'unknown key' err)" -eq 1
check "no such file" code 2 "$PASSGRID" run nowhere.yaml
check "an unknown option" code 2 "$PASSGRID" run "$GRID" --outt bad
check "... is corrected" says "unknown option '--outt', did you mean '--out'?"
check "an option without its value" code 2 "$PASSGRID" run "$GRID" --out bad --threads
check "... says so" says "option '--threads' needs a value"
check "an unknown command" code 2 "$PASSGRID" runn
check "... is corrected" says "did you mean 'run'?"
for command in run plan table data bench list help judge; do
    check "$command --help" code 0 "$PASSGRID" $command --help
done
check "help config" code 0 "$PASSGRID" help config
for key in data networks train schemes attacks after verify profiles profile; do check "... explains $key" says "$key: " out; done

# ---- bench --------------------------------------------------------------------------------------------------------------------
check "bench dispatch" code 0 ranks 3 "$PASSGRID" bench dispatch --tasks 1000
check "... ran every task" eval 'says "workers: 2" out && says "tasks: 1000" out && grep -qE "^tasks_per_s: [1-9]" out'
dispatching() {
    mkdir -p temporary
    TMPDIR=$WORK/temporary exec mpirun --oversubscribe -n 3 "$PASSGRID" bench dispatch --tasks 500000
}
dispatching >out 2>err &
launcher=$!
await eval 'test -s temporary/passgrid-dispatch-*/logs/run.log'
kill -USR1 $launcher
wait $launcher
check "... is interrupted" test $? -eq 75
check "... and leaves nothing behind" test -z "$(ls temporary)"
tiny=(--arch alexnet --width 0.0625 --batch 2 --steps 2)
check "bench --mode layers" code 0 "$PASSGRID" bench "${tiny[@]}" --mode layers
check "... measures every convolution" \
    eval 'test "$(grep -cE "^layer_features\.[0-9]+: .* [0-9.]+ GFLOPS " out)" -eq 5 && grep -qE "^blas_gflops: [0-9]" out'
check "bench --mode fake1" code 0 "$PASSGRID" bench "${tiny[@]}" --mode fake1 --scheme v1
check "... times every step" test "$(grep -cE '^seconds: [0-9.]+$' out)" -eq 2
mkfifo turns
"$PASSGRID" bench "${tiny[@]}" --mode eval --turns <turns >stepped &
exec 3>turns
echo >&3
await grep -q '^seconds: ' stepped
check "bench --turns does a step at a time" eval 'kill -0 $! && test "$(grep -c "^seconds: " stepped)" -eq 1'
echo >&3
exec 3>&-
wait $!
check "... and ends after the last" test "$? $(grep -c '^seconds: ' stepped)" = "0 2"
check "bench --turns with no mode" code 2 "$PASSGRID" bench "${tiny[@]}" --turns
check "... says with which" says "--turns: expected --mode train, eval or fake1, not net"
check "bench --mode nett" code 2 "$PASSGRID" bench "${tiny[@]}" --mode nett
check "... says which there are" says "--mode: expected net, train, eval, fake1 or layers"

# ---- disks --------------------------------------------------------------------------------------------------------------------
check "an output directory that cannot be made" code 3 "$PASSGRID" run "$GRID" --out /dev/null/run
check "... in one line with the path" eval 'one_line && says /dev/null'
check "... under mpirun" code 3 ranks 3 "$PASSGRID" run "$GRID" --out /dev/null/run
check "standard output is full" code 3 eval "$PASSGRID list attacks >/dev/full"
mkfifo pipe
exec 3<>pipe 4>pipe 3<&- # nobody reads what is written to 4
check "a run whose log nobody reads" code 0 eval '"$PASSGRID" run "$GRID" --out unread 2>&4'
check "... same bytes" same alone unread
rm -r unread
check "a run whose output nobody reads" code 0 eval '"$PASSGRID" run "$GRID" --out unread >&4 2>&4'
check "... same bytes, no lock" same alone unread
rm unread/tables/*
check "tables that nobody reads" code 0 eval '"$PASSGRID" table unread >&4'
check "... are all written" same alone unread
exec 4>&-
mkdir small
if mount -t tmpfs -o size=300k tmpfs small 2>/dev/null; then
    mounted=$WORK/small
    check "a full disk" code 3 "$PASSGRID" run "$GRID" --out small/run
    check "... names the file" says "No space left on device"
    check "... under mpirun" code 3 ranks 3 "$PASSGRID" run "$GRID" --out small/run
    mount -o remount,size=50m small
    check "... and goes on when there is room" code 0 ranks 3 "$PASSGRID" run "$GRID" --out small/run
    check "... same bytes" same alone small/run
    mount -o remount,ro small
    check "a read-only disk with a finished run" code 0 "$PASSGRID" run "$GRID" --out small/run
    check "a read-only disk with tasks to run" code 3 "$PASSGRID" run "$GRID" --out small/run --set train.epochs=1
    check "... in one line" one_line
    umount small
    mounted=
else
    echo "skip a full and a read-only disk: no permission to mount"
fi

finish
