# hedged: one make file, no configure step. `make help` lists the targets.
# Every .c file of a room (runtime/<room>/) is picked up by itself; so are the tests, benches and
# fuzz targets. What may include what is not decided here but in runtime/DEPS (`make lint`).

# --- what can be set from outside ---------------------------------------------------------------
ifeq ($(origin CC),default)
CC := gcc
endif
CFLAGS   ?= -O2 -g
LDFLAGS  ?=
PREFIX   ?= /usr/local
DESTDIR  ?=
SAN      ?=
T        ?=
B        ?=
F        ?=
S        ?= 30
V        ?= 0
CI       ?= false
DEMO_FLAGS ?= --scenario crash --speed 600x --for 3h
# ROOMS="base greeks" builds and tests only these rooms.
ALL_ROOMS := $(sort $(patsubst runtime/%/,%,$(dir $(wildcard runtime/*/*.c))))
ROOMS     ?= $(ALL_ROOMS)
# Recorded market data and protocol fixtures; tests that need them say so and skip without.
HEDGED_DATA ?= $(abspath $(CURDIR)/../shared)
export HEDGED_DATA

PKG_CONFIG ?= pkg-config
PACKAGES   := lua5.4 libuv libcjson zlib libzstd
# The static Lua is 5 to 15 % faster than the shared one. Its symbols are exported, so that C modules
# work under `hedged lua`. LUA_LIBS=-llua5.4 links the shared one.
LUA_LIBS   ?= -Wl,-E -Wl,--whole-archive -l:liblua5.4.a -Wl,--no-whole-archive -ldl

# Each compiler and each sanitizer set has its own folder, so they never mix objects.
comma := ,
empty :=
space := $(empty) $(empty)
ifeq ($(notdir $(CC)),gcc)
VARIANT :=
else
VARIANT := $(notdir $(CC))
endif
ifneq ($(SAN),)
VARIANT := $(VARIANT) san-$(subst $(comma),-,$(SAN))
endif
VARIANT := $(strip $(VARIANT))
BUILD   ?= build$(if $(VARIANT),/$(subst $(space),-,$(VARIANT)))

# --- flags --------------------------------------------------------------------------------------
# Asked for only when a recipe needs them: the build must parse before `make deps` has installed
# pkg-config. Each can be given from outside: LIB_CFLAGS=... LIB_LIBS=...
LIB_CFLAGS ?= $(eval LIB_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null))$(LIB_CFLAGS)
LIB_LIBS   ?= $(eval LIB_LIBS := $(shell $(PKG_CONFIG) --libs $(filter-out lua5.4,$(PACKAGES)) \
                2>/dev/null))$(LIB_LIBS)

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wundef \
        -Wwrite-strings -Wvla $(if $(filter true 1,$(CI)),-Werror) \
        $(if $(findstring clang,$(CC)),-Wno-string-conversion)
# No contraction and no fast-math anywhere: equal inputs give equal bytes on every machine. Signed
# overflow stays undefined (no -fwrapv) so that UBSan can see it.
LANG_FLAGS := -std=c11 -D_GNU_SOURCE -pthread -ffp-contract=off -fno-math-errno \
              -ffile-prefix-map=$(CURDIR)=.
SAN_FLAGS  := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# Small functions cross files at every tick: with link-time optimisation a tick costs a third less.
ifeq ($(VARIANT),)
LTO ?= -flto=auto
AR  := gcc-ar
endif
BASE_FLAGS := $(LANG_FLAGS) $(WARN) $(CFLAGS) $(LTO) $(SAN_FLAGS)
INCLUDES    = -Iruntime $(LIB_CFLAGS)
LINK_LIBS   = $(LUA_LIBS) $(LIB_LIBS) -lm -pthread

# Per room and per file. SIMD kernels are compiled for their instruction set by name and chosen at
# run time; everything else runs on any x86-64 (or other) machine. One option alone waits for single
# numbers: gathering them into vectors costs it 10 %.
file_flags = $(if $(filter greeks/%,$1),-O3) \
             $(if $(filter %_avx2,$1),-mavx2 -mfma) \
             $(if $(filter greeks/scalar_%,$1),-fno-tree-vectorize -fno-tree-slp-vectorize) \
             $(if $(filter %_avx512,$1),-mavx512f -mavx512dq -mavx512vl -mfma) \
             $(if $(filter $(MODULE_FILES),$1),$(MODULE_FLAGS))

# Vectors of 64 bytes stay within this file; gcc would remark on how older ones passed them. With
# sanitizers it follows thousands of inlined variables for minutes, for a debugger.
test_flags = $(if $(filter c/test_greeks_width8,$1),-Wno-psabi \
               $(if $(SAN),-O1 $(if $(findstring clang,$(CC)),,-fno-var-tracking)))

# These also make a C module for plain Lua, so they are compiled to be loaded anywhere and show
# nothing but luaopen_*. Plain Lua cannot load a module built with sanitizers.
MODULE_FILES := greeks/% base/assert base/clock base/decimal base/error base/text \
                domain/instrument_name script/api_greeks script/api_surface script/api_surface_fit \
                script/api_table
MODULE_FLAGS := -fPIC -fvisibility=hidden

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @echo "$1"
endif
MAKEFLAGS += --no-print-directory

# --- files --------------------------------------------------------------------------------------
OBJ   := $(BUILD)/obj
SRC   := $(sort $(foreach r,$(ROOMS),$(wildcard runtime/$(r)/*.c)))
OBJS  := $(SRC:runtime/%.c=$(OBJ)/%.o)
MAIN  := $(filter $(OBJ)/app/main.o,$(OBJS))
LIB   := $(BUILD)/libhedged.a
BIN   := $(BUILD)/hedged

MODULE_OBJS := $(filter $(MODULE_FILES:%=$(OBJ)/%.o),$(OBJS))
LUA_MODULE  := $(if $(SAN),,$(if $(filter script,$(ROOMS)),$(BUILD)/lua/hedged/greeks.so \
                 $(BUILD)/lua/hedged/surface.so))

GEN        := $(BUILD)/gen
EMBED      := $(shell find stdlib -name '*.lua' 2>/dev/null) \
              $(wildcard strategies/*.lua examples/books/*.lua)
EMBED      := $(sort $(filter-out %_test.lua,$(EMBED)))
EMBED_OBJS := $(if $(wildcard runtime/base/embedded.h),$(GEN)/embedded.o $(GEN)/embedded_data.o)

CTEST_SRC  := $(sort $(if $(filter-out $(ROOMS),$(ALL_ROOMS)), \
                $(foreach r,$(ROOMS),$(wildcard tests/c/test_$(r)_*.c)), \
                $(wildcard tests/c/test_*.c)))
CTEST_OBJS := $(CTEST_SRC:tests/%.c=$(BUILD)/tests/%.o) \
              $(BUILD)/tests/c/runner.o $(BUILD)/tests/c/alloc.o
CTEST      := $(BUILD)/tests/ctest
BENCH_SRC  := $(sort $(wildcard tests/bench/bench_*.c))
BENCH_OBJS := $(BENCH_SRC:tests/%.c=$(BUILD)/tests/%.o) \
              $(BUILD)/tests/bench/runner.o $(BUILD)/tests/c/alloc.o
CBENCH     := $(BUILD)/tests/cbench
FUZZ_BIN   := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
C_FILES     = $(wildcard runtime/*/*.[ch] tests/c/*.[ch] tests/bench/*.[ch] tests/fuzz/*.[ch])
LUA_DIRS    = $(wildcard stdlib strategies examples tests)

# --- build --------------------------------------------------------------------------------------
.PHONY: all help deps deps-lint demo mutate valgrind test ctest bench bench-peers lint fmt docs install uninstall \
        fuzz clean check-deps FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BIN) $(LUA_MODULE)

$(BIN): $(MAIN) $(EMBED_OBJS) $(LIB)
	$(call say,LD $@)
	$(if $(MAIN),,@echo "runtime/app/main.c is not there: nothing to link" >&2; exit 1)
	$(Q)$(CC) $(BASE_FLAGS) $(LDFLAGS) -o $@.new $^ $(LINK_LIBS) && mv $@.new $@

$(LIB): $(filter-out $(MAIN),$(OBJS))
	$(call say,AR $@)
	$(Q)rm -f $@.new && $(AR) rcs $@.new $^ && mv $@.new $@

$(BUILD)/lua/hedged/greeks.so: $(MODULE_OBJS)
	$(call say,LD $@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE_FLAGS) $(LDFLAGS) -shared -o $@.new $^ -lm && mv $@.new $@

# One C module under the two names that `require` looks for.
$(BUILD)/lua/hedged/surface.so: $(BUILD)/lua/hedged/greeks.so
	$(Q)ln -sf greeks.so $@

$(OBJ)/%.o: runtime/%.c $(BUILD)/flags
	$(call say,CC $*.c)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE_FLAGS) $(call file_flags,$*) $(INCLUDES) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%.o: tests/%.c $(BUILD)/flags
	$(call say,CC tests/$*.c)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE_FLAGS) $(call test_flags,$*) $(INCLUDES) -Itests/c -Itests/bench -MMD -MP -c -o $@ $<

# Changed flags rebuild; a missing library is one clear line instead of a compiler's complaint.
$(BUILD)/flags: FORCE | check-deps
	@mkdir -p $(@D)
	@new='$(CC) $(BASE_FLAGS) $(MODULE_FLAGS) $(INCLUDES)'; [ "$$(cat $@ 2>/dev/null)" = "$$new" ] || echo "$$new" >$@

check-deps:
	@$(if $(strip $(LIB_CFLAGS) $(LIB_LIBS)),:,$(PKG_CONFIG) --exists $(PACKAGES) 2>/dev/null) || \
	  { echo "libraries are missing: run \`make deps\` (wanted: $(PACKAGES))" >&2; exit 1; }

# The Lua the binary carries: bytes by .incbin, and a sorted table of path, data and size.
$(GEN)/embedded.list: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(EMBED) | cmp -s - $@ || printf '%s\n' $(EMBED) >$@

$(GEN)/embedded_data.S: $(GEN)/embedded.list
	@awk 'NF { n++; printf "hg_embedded_%d:\n.global hg_embedded_%d\n.incbin \"%s\"\n", n, n, $$0; \
	      printf ".byte 0\n" } \
	      BEGIN { print ".section .rodata" } \
	      END { print ".section .note.GNU-stack,\"\",%progbits" }' $< >$@

$(GEN)/embedded.c: $(GEN)/embedded.list
	@while read -r f; do [ -z "$$f" ] || echo "$$f" $$(wc -c <"$$f"); done <$< | awk '\
	  BEGIN { print "#include \"base/embedded.h\"\n" } \
	  { n++; d = d sprintf("extern const char hg_embedded_%d[];\n", n); \
	    t = t sprintf("    {\"%s\", hg_embedded_%d, %d},\n", $$1, n, $$2) } \
	  END { print d "\nconst hg_embedded hg_embedded_files[] = {\n" t "    {0, 0, 0},\n};" }' >$@

$(GEN)/embedded_data.S $(GEN)/embedded.c: $(EMBED)

$(GEN)/embedded.o: $(GEN)/embedded.c $(BUILD)/flags runtime/base/embedded.h
	$(call say,CC gen/embedded.c)
	$(Q)$(CC) $(BASE_FLAGS) $(INCLUDES) -c -o $@ $<

$(GEN)/embedded_data.o: $(GEN)/embedded_data.S $(BUILD)/flags
	$(call say,AS gen/embedded_data.S)
	$(Q)$(CC) -c -o $@ $<

$(CTEST): $(CTEST_OBJS) $(EMBED_OBJS) $(if $(SRC),$(LIB))
	$(call say,LD $@)
	$(Q)$(CC) $(BASE_FLAGS) $(LDFLAGS) -o $@.new $^ $(LINK_LIBS) && mv $@.new $@

$(CBENCH): $(BENCH_OBJS) $(EMBED_OBJS) $(if $(SRC),$(LIB))
	$(call say,LD $@)
	$(Q)$(CC) $(BASE_FLAGS) $(LDFLAGS) -o $@.new $^ $(LINK_LIBS) && mv $@.new $@

-include $(OBJS:.o=.d) $(CTEST_OBJS:.o=.d) $(BENCH_OBJS:.o=.d)

# --- set-up and use -----------------------------------------------------------------------------
# Each of these starts a second make, so that it sees what `deps` has just installed; that one uses
# all cores unless -j says otherwise.
BUILD_ALL = $(MAKE) $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

deps:
	@.ci/deps build test

deps-lint:
	@.ci/deps build test lint

demo: deps
	+@$(BUILD_ALL) all
	$(BIN) demo $(DEMO_FLAGS)

test: deps
	+@$(BUILD_ALL) all $(if $(CTEST_SRC),$(CTEST))
	@HEDGED=$(abspath $(BIN)) BUILD=$(BUILD) tests/run.sh $(if $(T),'$(T)')

# Only the C tests: make ctest [ROOMS="base greeks"] [T=pattern]
ctest: $(CTEST)
	@$(CTEST) $(if $(T),'$(T)')

bench: deps
	+@$(BUILD_ALL) all $(CBENCH)
	@HEDGED=$(abspath $(BIN)) $(CBENCH) $(if $(B),'$(B)')

# Ours beside QuantLib and a plain loop over libmvec, in one process. The loop alone is compiled for
# this CPU with -ffast-math; nothing of this folder is part of the product, its tests or CI.
PEERS      := $(BUILD)/tests/peers
PEER_OBJS  := $(addprefix $(BUILD)/tests/bench/peers/,peers.o libmvec_256.o libmvec_512.o quantlib.o)
PEER_FLAGS := -O3 -ffast-math -fopenmp-simd -march=native -D_GNU_SOURCE -std=c11
bench-peers:
	@.ci/deps build peers
	+@$(BUILD_ALL) $(PEERS)
	@$(PEERS) $(if $(B),'$(B)')

$(BUILD)/tests/bench/peers/libmvec_%.o: tests/bench/peers/libmvec.c tests/bench/peers/peers.h
	$(call say,CC tests/bench/peers/libmvec.c $*)
	@mkdir -p $(@D)
	$(Q)gcc $(PEER_FLAGS) -mprefer-vector-width=$* -DPEER_WIDTH=$* -c -o $@ $<

$(BUILD)/tests/bench/peers/quantlib.o: tests/bench/peers/quantlib.cpp tests/bench/peers/peers.h
	$(call say,CXX tests/bench/peers/quantlib.cpp)
	@mkdir -p $(@D)
	$(Q)g++ -std=c++17 -O3 -Wall -Wextra -c -o $@ $<

$(PEERS): $(PEER_OBJS) $(LIB)
	$(call say,LD $@)
	$(Q)g++ $(filter-out -std=% -W%,$(BASE_FLAGS)) $(LDFLAGS) -o $@ $^ -lQuantLib -lmvec -lm

# The C tests of scripts and of hot reload under memcheck, which knows reads of uninitialised memory
# that the sanitizers do not: make valgrind [T='script_ app_reload'], some ten minutes. Its malloc
# takes the place of the tests' own.
VALGRIND := valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
            --errors-for-leak-kinds=definite --soname-synonyms=somalloc=NONE
valgrind:
	@.ci/deps build valgrind
	+@$(BUILD_ALL) LTO= BUILD=build/valgrind build/valgrind/tests/ctest
	@$(VALGRIND) build/valgrind/tests/ctest -v --patience 60 $(or $(T),script_ app_reload)

lint: deps-lint
	@CC='$(CC)' LINT_CFLAGS='$(LANG_FLAGS) $(INCLUDES) -Itests/c -Itests/bench' tests/lint/lint.sh

fmt: deps-lint
	clang-format -i $(C_FILES)

docs: all
	@$(BIN) lua tests/tools/gen_lua_api.lua >docs/lua-api.md.new && \
	  mv docs/lua-api.md.new docs/lua-api.md && echo "docs/lua-api.md written from stdlib/meta"

# Flips each comparison of the gate, brackets and order margin and expects a test to fail: make mutate [F=risk_form]
mutate:
	@.ci/deps build
	@lua5.4 tests/tools/mutate.lua $(BUILD)/mutate $(F)

# clang's libFuzzer with the address and undefined sanitizers: make fuzz [F=tape] [S=seconds each]
fuzz:
	@.ci/deps build clang
	+@$(BUILD_ALL) CC=clang SAN=address,undefined BUILD=build/fuzz \
	  CFLAGS='$(CFLAGS) -fsanitize=fuzzer-no-link' fuzz-run

.PHONY: fuzz-run
fuzz-run: $(if $(F),$(filter %/fuzz_$(F),$(FUZZ_BIN)),$(FUZZ_BIN))
	$(if $^,,@echo "no fuzz target tests/fuzz/fuzz_$(F)*.c" >&2; exit 1)
	@for f in $^; do tests/fuzz/run.sh $$f $(S) || exit 1; done

$(BUILD)/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(EMBED_OBJS) $(LIB)
	$(call say,LD $@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE_FLAGS) -fsanitize=fuzzer $(LDFLAGS) $(FUZZ_LINK_$*) -o $@ $^ $(LINK_LIBS)

# A changed byte of a tape must reach the decoder: no checksums, no compression.
FUZZ_LINK_tape = -Wl,--wrap=hg_crc32c -Wl,--wrap=ZSTD_compress2

SHARE = $(DESTDIR)$(PREFIX)/share/hedged
INSTALLED_MODULES = $(DESTDIR)$(PREFIX)/lib/lua/5.4/hedged
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/hedged
	$(if $(LUA_MODULE),install -D -m 755 $(firstword $(LUA_MODULE)) $(INSTALLED_MODULES)/greeks.so)
	$(if $(LUA_MODULE),ln -sf greeks.so $(INSTALLED_MODULES)/surface.so)
	@for f in $$(find stdlib/meta strategies examples docs -type f 2>/dev/null) README.md LICENSE; \
	  do [ ! -f "$$f" ] || install -D -m 644 "$$f" "$(SHARE)/$$f" || exit 1; done
	@echo "installed $(PREFIX)/bin/hedged and $(PREFIX)/share/hedged"

uninstall:
	rm -rf $(DESTDIR)$(PREFIX)/bin/hedged $(SHARE) \
	  $(INSTALLED_MODULES)/greeks.so $(INSTALLED_MODULES)/surface.so

clean:
	rm -rf build

help:
	@echo 'make                 release build: $(BIN)'
	@echo 'make demo            set-up, build, and a paper session (DEMO_FLAGS=...)'
	@echo 'make test            set-up, build, all tests (T=pattern, SAN=address,undefined or thread)'
	@echo 'make ctest           only the C tests (ROOMS="base greeks", T=pattern)'
	@echo 'make bench           one JSON line per case (B=name)'
	@echo 'make bench-peers     ours beside QuantLib and libmvec (B=greeks)'
	@echo 'make lint, make fmt  checks; formatting'
	@echo 'make docs            docs/lua-api.md from stdlib/meta'
	@echo 'make fuzz            libFuzzer targets with clang (F=name S=seconds)'
	@echo 'make valgrind        C tests of scripts and hot reload under memcheck (T=patterns)'
	@echo 'make mutate          flips comparisons of gate and brackets; a test must fail (F=file)'
	@echo 'make deps            install missing Debian packages (a part of demo, test, bench, lint)'
	@echo 'make install         PREFIX=$(PREFIX) DESTDIR='
	@echo 'also                 V=1 CC=clang CI=true BUILD=folder CFLAGS=... LIB_CFLAGS=... LIB_LIBS=...'
