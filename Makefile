# What people type. Everything behind it is Meson in build/.
#
#   make deps         install what building and scanning need (asks sudo only when needed)
#   make              build: build/holdfast, build/holdfast-worker, build/compat/
#   make scan DIR=~/Downloads     dependencies, build, scan
#   make check        dependencies of the tests, build with tests, run them
#   make asan         the tests with AddressSanitizer and UndefinedBehaviorSanitizer
#   make fuzz         every fuzz target for FUZZ_SECONDS (60) each
#   make damage-archives  archives of real tools, each cut and damaged 500 times, through the decoders
#   make bench        benchmarks beside clamscan (interleaved ratios)
#   make vanished-vendor  20 endpoints in network namespaces go on without the vendor; root
#   make compare-facts   facts of every ELF below /usr and of Wine's PE files, and of broken ones,
#                     beside yara, readelf, objdump and pefile
#   make compare-yara files made so that the public rules fire, beside yara
#   make differential random ClamAV signatures and files, judged by ours and by clamscan; a million
#                     random patterns and texts against the naive matcher
#   make reproducible DB=folder   the database of a folder of signatures: the same bytes from -j1, -j2, any
#                     order and kernel, and from a build by clang
#   make compare-clamd   every conversation of the protocol, held with Debian's clamd and with holdfastd
#   make exchange-go signed notes, proofs and tiles, exchanged with Go's sumdb
#   make facts-reference writes docs/facts.md from the schema
#   make deb          Debian packages in build-deb/packages, the same bytes wherever they are built
#   make check-deb    that, and install, upgrade, remove and purge in a Debian of its own (root, debootstrap)
#   make check-clients  unmodified clients of clamd, from Debian and npm, with our package (docs/clients.md)
#   make soak REQUESTS=1000000   requests to holdfastd; memory and descriptors have to stay flat
#   make install      PREFIX=/usr/local, DESTDIR honoured
#   make format lint  clang-format; cppcheck and clang-tidy

BUILD ?= build
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
MESON ?= meson
NINJA = ninja -C $(BUILD)

.PHONY: vanished-vendor soak check-clients deb check-deb compare-clamd reproducible all deps deps-check scan check asan fuzz damage-archives bench compare-facts exchange-go facts-reference install format lint clean differential compare-yara

all: $(BUILD)/build.ninja
	@$(NINJA) $(if $(V),-v,--quiet)

$(BUILD)/build.ninja:
	@$(MESON) setup $(BUILD) --prefix=$(PREFIX) >/dev/null || { $(MESON) setup $(BUILD) --prefix=$(PREFIX); exit 1; }

deps:
	@packaging/deps.sh build

deps-check:
	@packaging/deps.sh check

# The two commands of a newcomer. `scan` returns what the scanner returns: 1 when something was
# found is a result, not a failed build, so it is shown and passed on as it is.
scan:
	@test -n "$(DIR)" || { echo "usage: make scan DIR=some/folder [ARGS='--json']"; exit 2; }
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@$(BUILD)/holdfast scan $(ARGS) -- "$(DIR)"

check: deps-check
	@$(MAKE) --no-print-directory $(BUILD)/build.ninja
	@$(MESON) configure $(BUILD) -Dtests=true
	@$(NINJA) --quiet
	@tests/run $(BUILD)

asan:
	@test -f build-asan/build.ninja || $(MESON) setup build-asan -Dtests=true -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C build-asan --quiet
	@tests/run build-asan

fuzz:
	@test -f build-fuzz/build.ninja || CC=$${CC:-clang-19} $(MESON) setup build-fuzz -Dfuzz=true -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C build-fuzz --quiet
	@fuzz/run build-fuzz $(FUZZ_SECONDS)

damage-archives: deps-check $(BUILD)/build.ninja
	@$(MESON) configure $(BUILD) -Dtests=true
	@$(NINJA) damage-archives

bench: $(BUILD)/build.ninja
	@$(MESON) configure $(BUILD) -Dbench=true
	@$(NINJA) --quiet
	@bench/run $(BUILD)

vanished-vendor: $(BUILD)/build.ninja
	@$(NINJA)
	@HOLDFAST_BUILD=$(BUILD) tests/e2e/vanished_vendor.py

compare-facts: $(BUILD)/build.ninja
	@$(MESON) configure $(BUILD) -Dtests=true
	@$(NINJA) compare-elf
	@$(NINJA) compare-macho
	@$(NINJA) compare-dex
	@$(NINJA) compare-dotnet
	@$(NINJA) compare-elf-readelf
	@$(NINJA) compare-pe
	@$(NINJA) compare-pe-clamav
	@$(NINJA) compare-pe-tools

exchange-go: $(BUILD)/build.ninja
	@$(MESON) configure $(BUILD) -Dtests=true
	@$(NINJA) exchange-go

facts-reference: $(BUILD)/build.ninja
	@$(MESON) configure $(BUILD) -Dtests=true
	@$(NINJA) --quiet tests/format/facts_reference
	@$(BUILD)/tests/format/facts_reference >docs/facts.md.new && mv docs/facts.md.new docs/facts.md

install: all
	@$(MESON) install -C $(BUILD) --no-rebuild

format:
	@clang-format -i $$(git ls-files '*.c' '*.h')

lint:
	@cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability --inline-suppr --suppress=missingIncludeSystem -Isrc -Iinclude -D_GNU_SOURCE $$(git ls-files 'src/*.c')
	@clang-tidy --quiet -p $(BUILD) $$(git ls-files 'src/*.c')

clean:
	@rm -rf build build-asan build-fuzz build-deb

DIFFERENTIAL_ROUNDS ?= 300
differential:
	@$(MESON) configure $(BUILD) -Dtests=true
	@$(NINJA) --quiet tests/rules/clamav/clamav_match
	@$(NINJA) --quiet tests/pattern/program_test
	@HOLDFAST_TEST_PAIRS=1000000 $(BUILD)/tests/pattern/program_test
	@tests/rules/clamav/differential.py $(BUILD)/tests/rules/clamav/clamav_match $(DIFFERENTIAL_ROUNDS) $$(date +%s)
	@HOLDFAST_BUILD=$(BUILD) tests/e2e/clamav_differential.py 1300 $(DIFFERENTIAL_ROUNDS) $$(date +%s)
	@$(NINJA) differential-yara

# The rules: ../shared/rules, or YARA_RULES=folder.
compare-yara: $(BUILD)/build.ninja
	@$(MESON) configure $(BUILD) -Dtests=true
	@$(NINJA) compare-yara

reproducible: all
	@test -n "$(DB)" || { echo "usage: make reproducible DB=folder"; exit 2; }
	@test -f build-clang/build.ninja || CC=$${CLANG:-clang-19} $(MESON) setup build-clang >/dev/null
	@ninja -C build-clang --quiet
	@HOLDFAST_BUILD=$(abspath $(BUILD)) HOLDFAST_TEST_DB=$(abspath $(DB)) HOLDFAST_TEST_BUILDS=$(abspath build-clang) PYTHONPATH=tests/e2e python3 tests/e2e/patterns_test.py a_database_is_the_same_however_it_is_built

compare-clamd: deps-check $(BUILD)/build.ninja
	@$(NINJA) --quiet
	@tests/daemon/compare_clamd.py $(BUILD)

deb:
	@packaging/deps.sh deb
	@packaging/deb/build

check-deb:
	@packaging/deps.sh deb
	@packaging/deps.sh roots
	@packaging/deb/check

check-clients:
	@packaging/deps.sh deb
	@packaging/deps.sh roots
	@tests/clients/run

REQUESTS ?= 100000
soak: all
	@HOLDFAST_BUILD=$(BUILD) tests/daemon/soak.py $(REQUESTS)
