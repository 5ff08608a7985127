# `make demo` runs the whole story; `make test` runs everything that CI runs. Rust and Node are all they need.
# One profile (dev) serves both, so no dependency is compiled twice.

MEDSHARE := $(or $(CARGO_TARGET_DIR),target)/debug/medshare
CARGO_TEST := $(shell if cargo nextest --version >/dev/null 2>&1; then echo "nextest run"; else echo test; fi)
ROWS ?= 10000
ROUNDS ?= 30

.PHONY: demo demo-diabetes devnet bench test contracts rust arrows fmt coverage clean

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

test: contracts rust arrows
	@echo "make test: all passed"

# The Solidity side (with more fuzz runs than `forge test` at the desk), and that the committed ABI and bytecode are what forge builds.
contracts: node_modules/.package-lock.json
	node_modules/.bin/forge fmt --check
	node_modules/.bin/forge build
	node script/artifact.mjs --check
	FOUNDRY_PROFILE=ci node_modules/.bin/forge test

# clippy first: it needs less than a build and says more.
rust: node_modules/.package-lock.json
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
	cargo build --locked -p medshare-cli
	cargo $(CARGO_TEST) --locked --workspace
	$(if $(findstring nextest,$(CARGO_TEST)),cargo test --locked --workspace --doc)

arrows:
	script/check-arrows
	script/check-paper-map

fmt: node_modules/.package-lock.json
	cargo fmt --all
	node_modules/.bin/forge fmt

# Outside the gate: needs cargo-llvm-cov.
coverage: node_modules/.package-lock.json
	cargo llvm-cov nextest --workspace --summary-only
	node_modules/.bin/forge coverage --ir-minimum --report summary

# npm writes this file last: when it is older than the lock, the packages are stale.
node_modules/.package-lock.json: package-lock.json package.json
	npm ci --no-audit --no-fund
	@touch $@

clean:
	cargo clean
	rm -rf out cache
