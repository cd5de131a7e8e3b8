# What the tests in bash share; sourced from the root of the repository with the program as $1. Enters a work folder of its own.
PASSGRID=$(realpath "${1:-${PASSGRID:-build/passgrid}}")
GRID=$PWD/tests/e2e/grid.yaml
WORK=$(mktemp -d)
cd "$WORK" || exit 1
trap 'rm -rf "$WORK"' EXIT
# A container runs this as root, and has fewer cores than ranks; users need neither.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_WAIT_POLICY=passive
log=err # what the command under test says
checks=0
failures=0

check() { # check TEXT COMMAND...: the command succeeds
    local text=$1
    shift
    checks=$((checks + 1))
    if "$@"; then
        echo "ok   $text"
    else
        failures=$((failures + 1))
        echo "FAIL $text"
        tail -n 5 out "$log" 2>/dev/null | sed 's/^/     /'
    fi
}

code() { # code EXPECTED COMMAND...: exit code, output in out and err
    local expected=$1 got
    shift
    "$@" >out 2>err
    got=$?
    test $got -eq "$expected" || { echo "     exit code $got, expected $expected: $*"; return 1; }
}

same() { diff -r -x run.log -x timings.csv -x provenance.json "$1" "$2"; } # all that must not depend on how a run went
says() { grep -qF -- "$1" "${2:-$log}"; }

await() { # await COMMAND...: until it succeeds; three minutes at most
    local i
    for i in $(seq 1800); do
        "$@" && return 0
        sleep 0.1
    done
    return 1
}
gone() { ! kill -0 "$1" 2>/dev/null; }
ends() { # ends EXPECTED: what was started as $launcher ends by itself, with that code
    await gone "$launcher" || { kill -KILL "$launcher"; echo "     it hangs"; return 1; }
    wait "$launcher"
    local got=$?
    launcher=
    test $got -eq "$1" || { echo "     exit code $got, expected $1"; return 1; }
}
checkpoints() { test "$(ls "$1/checkpoints" 2>/dev/null | grep -c seal)" -ge "$2"; }

finish() { # the last line, and the exit code
    echo "$((checks - failures)) of $checks checks passed"
    exit $((failures > 0))
}
