#!/bin/bash
# End to end: commands that look and change nothing: plan, why, doctor.
# usage: tests/e2e/look.sh [PROGRAM], default $PASSGRID or build/passgrid; prints one line per check; exit code 1 if any failed
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/checks.bash

says() { grep -qE -- "$1" "${2:-out}"; }
row() { awk -v name="$1" '$5 ~ name { print; exit }' out; } # the task of the plan whose name has that in it
field() { row "$1" | awk -v n="$2" '{ print $n }'; }

small=(--set 'attacks=[{attack: prune, levels: [50]}]' --set 'schemes=[{scheme: plain}]' --set 'seeds=[1]')

# ---- plan ---------------------------------------------------------------------------------------------------------------------
check "plan of what has not begun" code 0 "$PASSGRID" plan "$GRID" --out run "${small[@]}"
check "... two tasks" says '^2 tasks: 0 done, 0 failed, 0 interrupted, 2 new$'
check "... the attack names its parent" test "$(field prune/s1 6)" = "$(field plain/s1 1)"
check "... the longest path holds both" test "$(sed -n '/^longest path/,/^2 tasks/p' out | grep -c synthetic/)" = 2
check "... from a usual speed" says '^nothing was timed in run: estimated from a usual speed of one thread$'
check "... in hours of a rank" says '^to do: .* rank hours '
check "... and makes no directory" test ! -e run
mkdir busy && echo "1 other 1" >busy/run.lock
check "plan where a run is at work" code 0 "$PASSGRID" plan "$GRID" --out busy "${small[@]}"
check "... says so" says '^busy/run.lock is there: a run is at work'
rm -r busy
key=$(field prune/s1 1)

mkdir nothing
for config in "${GRID%/tests/*}"/configs/*.yaml; do
    check "plan of $(basename "$config"), where its data is not" code 0 "$PASSGRID" plan "$config" --data nothing --out run
done

check "why, with nothing finished" code 0 "$PASSGRID" why "$key" "$GRID" --out run "${small[@]}"
check "... says that" says '^no task is finished in run$'

check "the run" code 0 "$PASSGRID" run "$GRID" --out run "${small[@]}"
check "plan of what is done" code 0 "$PASSGRID" plan "$GRID" --out run "${small[@]}"
check "... says so" says '^2 tasks: 2 done'
check "... nothing is to do" says '^to do: 0.0 s on one rank'
check "... knows how long tasks took" says '^estimated from 2 tasks'
sed -i 's/\(plain\/s1[^,]*,0,\)[0-9.e+-]*/\1600/' run/timings.csv # as if training had taken ten minutes
check "plan of more seeds" code 0 "$PASSGRID" plan "$GRID" --out run "${small[@]}" --set 'seeds=[1, 2]'
check "... takes the time of the same task with another seed" test "$(field plain/s2 3)" = 600.0
echo damaged >run/timings.csv
check "plan with a damaged timings.csv" code 0 "$PASSGRID" plan "$GRID" --out run "${small[@]}"
check "... does without" says '^nothing was timed in run'

# ---- null models ----------------------------------------------------------------------------------------------------------------
nulls=(--set 'attacks=[]' --set 'schemes=[{scheme: v1}, {scheme: adi, trigger_count: 20}]' --set null_models=2 --set 'seeds=[1, 2]')
check "plan of a grid with null models" code 0 "$PASSGRID" plan "$GRID" --out nulls "${nulls[@]}"
check "... one more plain network than seeds" test "$(grep -c " new .*/plain/" out)" = 3
check "... thresholds name every parent" \
    test "$(field adi/threshold/s1 6)" = "$(field adi/s1/ 1),$(field plain/s2 1),$(field plain/s3 1)"
check "... null models that share nothing count once" says '^shared: 3 tasks'
check "the run" code 0 "$PASSGRID" run "$GRID" --out nulls "${nulls[@]}"
check "... says the threshold beside the p-value" grep -q 'p-value at most,null models' nulls/tables/schemes.csv
value() { awk -F, -v m="$1" '$0 ~ "/adi/threshold/s1/" && $0 ~ "," m ","' nulls/cells.csv | sed "s/.*,$1,//;s/,.*//"; }
check "... from 3 fresh trigger sets on each of 2 networks" test "$(value null_models) $(value null_model_keys) $(value null_model_length)" = "2 3 20"
check "... theta is T(L) of L" awk "BEGIN { exit !($(value null_model_threshold) > 0 && ($(value null_model_threshold) - 5 * $(value null_model_count))^2 < 1e-9) }"
channels() { sed -n "s,.*/$1/s1/.*gamma_channels\,\([0-9]*\).*,\1,p" nulls/cells.csv | awk '{ n += $1 } END { print n }'; }
check "... gammas of every channel that has a passport, and of the plain network's" test "$(channels v1) $(channels plain)" = "64 64"
check "null models without fresh evidence" code 2 "$PASSGRID" plan "$GRID" "${nulls[@]}" --set verify.nulls=0
check "... says so" says 'null_models: want fresh evidence, and verify.nulls is 0' err

# ---- an attack after another --------------------------------------------------------------------------------------------------
chain=(--set 'schemes=[{scheme: adi, trigger_count: 20}]' --set 'seeds=[1]'
    --set 'attacks=[{attack: counterfeit-triggers, count: 20, steps: 200}, {attack: prune, levels: [0, 100], after: counterfeit-triggers}]')
check "the run of a chain" code 0 "$PASSGRID" run "$GRID" --out chain "${chain[@]}"
check "... what was forged stands in the owner's row" grep -q 'forged %' chain/tables/removal.csv
forged() { sed -n "s/.*,level=$1,forged_detection,\([0-9.]*\).*/\1/p" chain/cells.csv; }
check "... as it was forged where nothing is pruned" test "$(forged 0)" = "$(sed -n 's/.*counterfeit-triggers.*,1,-,detection,\([0-9.]*\).*/\1/p' chain/cells.csv)"
check "... and by guessing where all is" awk "BEGIN { exit !($(forged 0) > 2 * $(forged 100)) }"
check "an attack after one that is not above" code 2 "$PASSGRID" plan "$GRID" "${chain[@]}" --set 'attacks.0={attack: prune}'
check "... says so" says 'attacks.1.after: no counterfeit-triggers stands above' err
check "an attack after one that keeps nothing" code 2 "$PASSGRID" plan "$GRID" "${chain[@]}" --set attacks.1.after=finetune
check "... says so" says 'attacks.1.after: expected one of counterfeit-uchida, counterfeit-triggers' err

# ---- reports ------------------------------------------------------------------------------------------------------------------
near=(--set 'attacks=[{attack: unchanged}, {attack: prune, levels: [33.3333331, 33.3333332]}]' --set 'schemes=[{scheme: plain}]' --set 'seeds=[1]')
check "a run with levels that nearly agree" code 0 "$PASSGRID" run "$GRID" --out near "${near[@]}"
check "... has a row for each" test "$(cut -d, -f6 near/tables/removal.csv | grep -c '^level=33.333333[12]$')" = 2
check "... controls and trainings have a word" test "$(cut -d, -f5 near/tables/removal.csv | sort -u | tr '\n' ' ')" = "attack before prune unchanged "
check "an attack under its former name" code 0 "$PASSGRID" plan "$GRID" --out near "${near[@]}" --set 'attacks=[{attack: null}]'
check "... is the same task" says '^2 tasks: 2 done'
cp "$PASSGRID" elsewhere
check "the program elsewhere" code 0 env PASSGRID_SHARE="$PWD/nothing" ./elsewhere table near
check "... says that it compares with nothing" says 'no comparison with published numbers, because they were not found: .*/nothing/published is not there'

# ---- why ----------------------------------------------------------------------------------------------------------------------
check "why of a finished task" code 0 "$PASSGRID" why "$key" "$GRID" --out run "${small[@]}"
check "... says that it is done" says '^synthetic/.* is done$'
check "... and where its record is" test -s "$(sed -n 's/^record: //p' out)"
check "the plan of other training" code 0 "$PASSGRID" plan "$GRID" --out run "${small[@]}" --set train.epochs=3
name=$(field plain/s1 5)
check "why, by name" code 0 "$PASSGRID" why "$name" "$GRID" --out run "${small[@]}" --set train.epochs=3
check "... names the nearest of the finished tasks" says '^nearest of 2 finished tasks: synthetic/alexnet-bn/plain/s1/'
check "... and the one field that differs" test "$(grep '^  ' out)" = "  train.epochs: 3 here, 2 there"
signed=(--set 'schemes=[{scheme: v1, passport: random, signature: "ab"}]' --set 'seeds=[1]' --set 'attacks=[]')
check "a run with a secret" code 0 "$PASSGRID" run "$GRID" --out signed "${signed[@]}"
check "the plan of other training" code 0 "$PASSGRID" plan "$GRID" --out signed "${signed[@]}" --set train.epochs=3
check "why" code 0 "$PASSGRID" why "$(field v1/s1 1)" "$GRID" --out signed "${signed[@]}" --set train.epochs=3
check "... the secret is no difference" test "$(grep '^  ' out)" = "  train.epochs: 3 here, 2 there"
check "the plan of it" code 0 "$PASSGRID" plan "$GRID" --out signed "${signed[@]}" --set schemes.0.signature=zq
check "why of another secret" code 0 "$PASSGRID" why "$(field v1/s1 1)" "$GRID" --out signed "${signed[@]}" --set schemes.0.signature=zq
check "... tells no secret" test "$(grep '^  ' out | sed 's/sha256:[0-9a-f]*/HASH/g')" = "  scheme.signature: HASH here, HASH there"
check "why of a task that is nowhere" code 2 "$PASSGRID" why nonsense "$GRID" --out run "${small[@]}"
check "... says so" says "no tasks of the grid are called 'nonsense'" err
check "why without a task" code 2 "$PASSGRID" why "$GRID"

# ---- doctor -------------------------------------------------------------------------------------------------------------------
mkdir data
check "doctor" code 0 "$PASSGRID" doctor --out run/of/the/future --data data
for what in mpi binding blis data space writes; do check "... looks at $what" says "^ok +$what "; done
check "... data that is not there is no fault" says '^- +data .*cifar10 is not there'
check "... it makes no directory" test ! -e run/of
check "... and leaves nothing" test -z "$(find . -name '*doctor*')"
echo damaged >data/cifar10.safetensors
check "doctor sees damaged data" code 2 "$PASSGRID" doctor --data data
check "... names it" says '^WRONG +data .*data/cifar10.safetensors: damaged'
check "plan with damaged data" code 2 "$PASSGRID" plan "${GRID%/tests/*}/configs/fast.yaml" --data data --out run
check "... names it" says 'data/cifar10.safetensors: damaged' err
check "doctor sees a directory that cannot be written" code 2 "$PASSGRID" doctor --data data --out /proc
check "... names it" says '^WRONG +writes +/proc'
check "doctor without mpirun" code 2 env PATH= "$PASSGRID" doctor --data run
check "... says what to do" says '^WRONG +mpi .*install openmpi-bin'

finish
