# `make demo` runs the whole story; `make test` runs everything that CI runs. Rust and Node are all they need.
# One profile (dev) serves both, so no dependency is compiled twice.

BUILT := $(or $(CARGO_TARGET_DIR),target)/debug
MEDSHARE := $(BUILT)/medshare
CARGO_TEST := $(shell if cargo nextest --version >/dev/null 2>&1; then echo "nextest run"; else echo test; fi)
ROWS ?= 10000
ROUNDS ?= 30

.PHONY: demo demo-diabetes devnet bench bench-ledger bench-agent test contracts fuzz-contracts snapshots coverage prove slither independent pycanon tools rust rust-coverage arrows fmt clean fuzz

demo: node_modules/.package-lock.json
	cargo build -p medshare-cli
	$(MEDSHARE) demo --rows $(ROWS)

# Real records: 101,766 hospital encounters. DATA is the folder that holds diabetic_data.csv.gz.
DATA ?= ../shared/data/diabetes130
demo-diabetes: node_modules/.package-lock.json
	cargo build -p medshare-cli
	$(MEDSHARE) demo --data $(DATA)/diabetic_data.csv.gz --descriptor examples/diabetes130/descriptor.toml

devnet: node_modules/.package-lock.json
	cargo build -p medshare-cli
	$(MEDSHARE) devnet

bench: node_modules/.package-lock.json
	cargo build -p medshare-cli
	$(MEDSHARE) bench request --rows $(ROWS) --rounds $(ROUNDS)

# How fast a ledger is verified, built, mined and audited, as a table with the ratios (docs/performance.md). Wants a quiet
# machine; takes a few minutes.
BLOCKS ?= 1000000
PACKAGES ?= 100000
bench-ledger: node_modules/.package-lock.json
	cargo bench -q -p medshare-protocol --bench interleaved
	script/bench-ledger.mjs
	cargo bench -q -p medshare-node --bench proofs
	cargo build -p medshare-cli
	$(MEDSHARE) bench audit --blocks $(BLOCKS) --packages $(PACKAGES)

# How fast the agent is: sealing and opening against rage, the AEAD against OpenSSL, the mount against one of plain bytes, and how
# soon a report has its receipt (docs/performance.md). In the release profile, whose dependencies are compiled once for it.
# Wants a quiet machine; takes a few minutes.
bench-agent: node_modules/.package-lock.json
	script/bench-agent.mjs

test: contracts rust arrows
	@echo "make test: all passed"

# The Solidity side, with more fuzz runs than `forge test` at the desk; that the committed ABI and bytecode are what forge
# builds; that transactions cost what snapshots/ says; and that every function, error and event has its test.
contracts: node_modules/.package-lock.json
	node_modules/.bin/forge fmt --check
	node_modules/.bin/forge build
	node script/artifact.mjs --check
	rm -rf out/snapshots && cp -r snapshots out/snapshots
	FOUNDRY_PROFILE=ci FORGE_SNAPSHOT_CHECK=true node_modules/.bin/forge test
	@# Forge writes what a snapshot lacks instead of failing.
	diff -r out/snapshots snapshots
	script/check-gas-table
	script/check-tests

# Outside the gate: 100,000 fuzz runs, and 10,000 runs of 500 calls of the invariant campaign. Hours.
fuzz-contracts: node_modules/.package-lock.json
	FOUNDRY_PROFILE=long node_modules/.bin/forge test --no-match-path 'test/gas/*'

# Writes the gas snapshot anew.
snapshots: node_modules/.package-lock.json
	node_modules/.bin/forge test --match-path 'test/gas/*'

# Every line, statement, branch and function of contracts/. Without what holds for the deployed code only: its gas and size.
coverage: node_modules/.package-lock.json
	@mkdir -p out
	FOUNDRY_PROFILE=coverage node_modules/.bin/forge coverage \
	  --no-match-test test_fitsIntoAContract --no-match-coverage '^(test|script)/' --report summary --report lcov --report-file out/lcov.info \
	  >out/coverage.txt || { cat out/coverage.txt; exit 1; }
	@sed -n '/Statements/,$$p' out/coverage.txt
	script/check-coverage out/lcov.info out/coverage.txt

# The judge, every transition of a package, what leaves packages alone, and the reading of headers, for all inputs. A
# build of its own.
prove: node_modules/.package-lock.json .venv-contracts/installed
	PATH="$(CURDIR)/node_modules/.bin:$$PATH" FOUNDRY_PROFILE=prove script/prove

# No finding that is not argued in a comment beside the line. A build of its own: slither wants the whole of it.
slither: node_modules/.package-lock.json .venv-contracts/installed
	rm -rf out/slither
	node_modules/.bin/forge build --build-info --out out/slither --cache-path cache/slither contracts/MedShare.sol
	PATH="$(CURDIR)/node_modules/.bin:$$PATH" .venv-contracts/bin/slither . --foundry-ignore-compile \
	  --foundry-out-directory out/slither --filter-paths node_modules --fail-pedantic

# clippy first: it needs less than a build and says more.
rust: node_modules/.package-lock.json
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
	cargo $(CARGO_TEST) --locked --workspace
	$(if $(findstring nextest,$(CARGO_TEST)),cargo test --locked --workspace --doc)

# A second implementation, in Python and from crates/protocol/SPEC.md alone: it is given the vectors, and the ledger of the
# README's session.
independent: node_modules/.package-lock.json .venv-independent/installed
	.venv-independent/bin/python -m pytest -q test/independent
	MEDSHARE_INDEPENDENT="$(CURDIR)/.venv-independent/bin/python" \
	  cargo $(CARGO_TEST) --locked --workspace -- the_session_of_the_readme evidence_needs_no_network

# pyCANON measures the anonymiser's releases, and agrees with what it measured of them itself.
# Out of the tests' build, as the gate made it: another selection of packages has other features and compiles the dependencies again.
pycanon: .venv-pycanon/installed
	rm -rf out/pycanon
	cargo test --locked --quiet --workspace --no-run
	$(BUILT)/examples/measured out/pycanon
	MEDSHARE_MEASURED="$(CURDIR)/out/pycanon" .venv-pycanon/bin/python -m pytest -q crates/anonymiser/tests/pycanon

# What researchers use, on data that is open in a folder and in the sandbox: pandas and DuckDB, and R where it is installed.
tools: node_modules/.package-lock.json .venv-tools/installed
	PATH="$(CURDIR)/.venv-tools/bin:$$PATH" cargo $(CARGO_TEST) --locked --workspace -- each_tool_does r_pandas_and_duckdb

# Outside the gate: LLVM's fuzzer on each decoder, ten minutes each. Starts from the corpora that `make test` replays; what it
# finds goes to fuzz/found, what breaks a decoder to fuzz/artifacts. Memory is bounded, in one piece and as a whole; the
# sanitizer's store of freed memory is kept small, so that it is the decoder's memory that counts.
FUZZ_SECONDS ?= 600
# Target and longest input, bytes.
FUZZ_TARGETS ?= header:400 record:512 package_header:1024 report:1024 cbor:1024 proof:1200
fuzz:
	@cargo +nightly --version >/dev/null 2>&1 || { echo "make fuzz: no nightly toolchain: rustup toolchain install nightly" >&2; exit 1; }
	@cargo fuzz --version >/dev/null 2>&1 || { echo "make fuzz: no cargo-fuzz: cargo install cargo-fuzz" >&2; exit 1; }
	@c++ --version >/dev/null 2>&1 || { echo "make fuzz: no C++ compiler, which libfuzzer-sys needs" >&2; exit 1; }
	cd fuzz && for each in $(FUZZ_TARGETS); do \
	  target=$${each%%:*}; mkdir -p found/$$target; \
	  ASAN_OPTIONS=quarantine_size_mb=16 cargo +nightly fuzz run --fuzz-dir . $$target found/$$target corpus/$$target -- \
	    -max_total_time=$(FUZZ_SECONDS) -max_len=$${each##*:} -timeout=10 -rss_limit_mb=512 -malloc_limit_mb=64 \
	    -print_final_stats=1 || exit 1; \
	done

arrows:
	script/check-arrows
	script/check-paper-map

fmt: node_modules/.package-lock.json
	cargo fmt --all
	node_modules/.bin/forge fmt

# Outside the gate: needs cargo-llvm-cov.
rust-coverage: node_modules/.package-lock.json
	cargo llvm-cov nextest --workspace --summary-only

# The provers' and checkers' own tools, from PyPI.
.venv-contracts/installed: script/requirements-contracts.txt
	python3 -m venv .venv-contracts
	.venv-contracts/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

.venv-independent/installed: test/independent/requirements.txt
	python3 -m venv .venv-independent
	.venv-independent/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

.venv-tools/installed: test/tools/requirements.txt
	python3 -m venv .venv-tools
	.venv-tools/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

.venv-pycanon/installed: crates/anonymiser/tests/pycanon/requirements.txt
	python3 -m venv .venv-pycanon
	.venv-pycanon/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

# npm writes this file last: when it is older than the lock, the packages are stale.
node_modules/.package-lock.json: package-lock.json package.json
	npm ci --no-audit --no-fund
	@touch $@

clean:
	cargo clean
	rm -rf out cache
