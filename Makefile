# Everything a developer or CI does. The target folder lies outside the checkout, so that fresh clones share the compiled dependencies.
CARGO_TARGET_DIR ?= $(HOME)/.cache/perkins/target
export CARGO_TARGET_DIR
PERKINS = $(CARGO_TARGET_DIR)/release/perkins
DATA ?= perkins-data
JURISDICTION ?= oregon
REPORT_YEAR ?= 2024
KILLS ?= 1000

# Programs that only tests use: readers of our results, and stores of objects.
TEST_PYTHON ?= $(HOME)/.cache/perkins/venv
TEST_NODE ?= $(HOME)/.cache/perkins/node
AZURITE = 3.37.0
export PERKINS_TEST_PYTHON = $(TEST_PYTHON)/bin/python
export PERKINS_TEST_AZURITE = $(TEST_NODE)/node_modules/.bin/azurite-blob

.PHONY: help run test crash fuzz check golden docs bench synth build tools test-tools clean-data

help: ## what there is to do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

tools:
	@command -v cargo > /dev/null || { echo "cargo is missing: install Rust 1.94 or later (rustup), then start again"; exit 1; }
	@command -v cc > /dev/null || { echo "a C compiler is missing: install gcc (Debian: apt-get install gcc), then start again"; exit 1; }

# One build for everything: the tests need the same features as the program, so the dependencies are compiled once.
build: tools
	cargo build --release --locked --bin perkins

run: build ## ingest the shipped sample, compute Oregon's indicators, publish what is safe, draw the reports
	$(PERKINS) --restricted $(DATA)/restricted --public $(DATA)/public all data/sample --jurisdiction $(JURISDICTION) --report-year $(REPORT_YEAR)

# Best effort: a test that lacks its program says that it was skipped.
test-tools:
	@cmp -s tests/requirements.txt $(TEST_PYTHON)/requirements.txt || { python3 -m venv $(TEST_PYTHON) \
	  && $(TEST_PYTHON)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt \
	  && cp tests/requirements.txt $(TEST_PYTHON); } || echo "no Python packages: tests that read results with them will be skipped"
	@test -x $(PERKINS_TEST_AZURITE) || npm install --silent --prefix $(TEST_NODE) azurite@$(AZURITE) \
	  || echo "no azurite (npm): tests against Azure Blob Storage will be skipped"

test: build test-tools ## every test
	cargo test --release --locked --test all

crash: build test-tools ## kill the program at 1,000 random moments (KILLS=…), as `make test` does at some; about half an hour
	PERKINS_TEST_KILLS=$(KILLS) cargo test --release --locked --test all crash:: -- --nocapture

fuzz: build ## change raw files at random for SECONDS=… each reader (60), beyond those of `make test`; FROM=… begins with another number
	PERKINS_TEST_FUZZ_SECONDS=$(or $(SECONDS),60) PERKINS_TEST_FUZZ_FROM=$(or $(FROM),1501) cargo test --release --locked --test all fuzz:: -- --nocapture

golden: build ## only the hand-derived cases
	cargo test --release --locked --test all golden

check: tools ## format, lints, generated docs
	cargo fmt --check
	cargo clippy --release --locked --all-targets -- -D warnings
	$(MAKE) build
	$(PERKINS) docs --check

docs: build ## write the data dictionary, indicator pages, rules and command line reference
	$(PERKINS) docs

bench: build ## compare with ../shared/yardstick on its M data; the result goes under benches/
	python3 benches/compare.py --perkins $(PERKINS)

synth: build ## make raw collections of 5,000 students a year in data/raw
	$(PERKINS) synth --students 5000 --years 2019..2024 --jurisdiction $(JURISDICTION) --out data/raw
