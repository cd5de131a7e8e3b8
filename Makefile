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
CONFIG  ?= configs/quick.yaml
OUT     ?= results/$(basename $(notdir $(CONFIG)))
SANITIZE ?=
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
BLIS_INCLUDE ?= $(firstword $(wildcard /usr/include/$(MULTIARCH)/blis-openmp /usr/include/$(MULTIARCH) /usr/include/blis /usr/local/include/blis))
BLIS_LIB     ?= $(firstword $(wildcard /usr/lib/$(MULTIARCH)/blis-openmp /usr/lib/$(MULTIARCH) /usr/lib /usr/local/lib))

# ---- flags ------------------------------------------------------------------------------------------------------------
PACKAGES := gsl yaml-0.1 jansson libpng libjpeg libcrypto
WARN     := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes $(if $(filter 1,$(WERROR)),-Werror)
# -fno-math-errno and -fno-trapping-math allow vector code and change no result; nothing here reorders arithmetic.
CFLAGS   ?=
PG_CFLAGS = -std=c17 -D_GNU_SOURCE -I. -g $(OPT) -march=$(ARCH) -fno-math-errno -fno-trapping-math -fopenmp $(WARN) \
            $(addprefix -fsanitize=,$(SANITIZE)) $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) -isystem $(BLIS_INCLUDE) $(CFLAGS)
MPI_CFLAGS  = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags ompi-c 2>/dev/null))
PG_LDFLAGS  = $(addprefix -fsanitize=,$(SANITIZE)) -fopenmp -L$(BLIS_LIB) -Wl,-rpath,$(BLIS_LIB) $(LDFLAGS)
PG_LIBS     = -lblis $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm
MPI_LIBS    = $(shell pkg-config --libs ompi-c 2>/dev/null)

# ---- sources ----------------------------------------------------------------------------------------------------------
CORE_SRC        := $(sort $(wildcard core/*/*.c))
ATTACKS_SRC     := $(sort $(wildcard attacks/*.c))
EXPERIMENTS_SRC := $(sort $(wildcard experiments/*.c))
UNIT_SRC        := $(sort $(wildcard tests/unit/*.c))
C_FILES         := $(sort $(wildcard core/*/*.[ch] attacks/*.[ch] experiments/*.[ch] tests/*/*.[ch]))
objects = $(patsubst %.c,$(BUILD)/$(2)/%.o,$(1))
LIB_OBJ := $(call objects,$(CORE_SRC) $(ATTACKS_SRC),float)
LIB_DOUBLE_OBJ := $(call objects,$(CORE_SRC) $(ATTACKS_SRC),double)
HARNESS_OBJ := $(call objects,$(filter-out experiments/main.c,$(EXPERIMENTS_SRC)),float)
UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT_SRC))

# ---- rules ------------------------------------------------------------------------------------------------------------
.DELETE_ON_ERROR:
.SECONDARY:
Q := $(if $(V),,@)
all: $(BUILD)/passgrid

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

$(BUILD)/tests/%: $(BUILD)/float/tests/unit/%.o $(BUILD)/libharness.a $(BUILD)/libpassgrid.a
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(Q)$(CC) $(PG_LDFLAGS) $^ -lcmocka $(PG_LIBS) $(MPI_LIBS) -o $@
$(BUILD)/tests/%-double: $(BUILD)/double/tests/unit/%.o $(BUILD)/libpassgrid-double.a
	$(Q)mkdir -p $(@D)
	$(if $(V),,@echo "  LINK  $@")
	$(Q)$(CC) $(PG_LDFLAGS) $^ -lcmocka $(PG_LIBS) -o $@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

print-%:
	@echo '$($*)'
clean:
	rm -rf $(BUILD)
