# `make` lists the targets. Everything runs with cargo's lock file, so that everybody builds the same.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Arguments of `make run`, for example: make run ARGS="report --last 1h"
ARGS ?= run
# What `make test` ran, in full.
TEST_LOG := target/test.log
RUN_TEST := 'target."cfg(all())".runner="scripts/support/run-test"'

CLUSTER := start-support logs-support start logs load-data stop stop-support

.PHONY: help build run test lint fmt fmt-check doc bench deny ci clean $(CLUSTER)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build the optimised binary: target/release/uptime-monitor
	cargo build --release --locked

run: ## Run it, optimised; ARGS="check https://example.com" for a command other than run
	cargo run --release --locked -- $(ARGS)

# It begins with what takes long, so that PostgreSQL and Kafka don't wait for the compiler.
# What passing tests print goes to the log only: there, a test says what it had to leave out on this machine.
test: ## Run every test, with a PostgreSQL and a Kafka for them; at the end, say what was left out
	@mkdir -p target
	@status=0; \
	{ cargo test --locked --no-run \
	  && scripts/support/with-servers cargo test --locked --no-fail-fast --config $(RUN_TEST) -- --show-output; } 2>&1 \
	  | tee $(TEST_LOG) \
	  | awk '/^successes:$$/ { quiet = 1 } /^(failures:$$|test result:)/ { quiet = 0 } !quiet' || status=$$?; \
	echo; \
	awk '/^test result:/ { passed += $$4; failed += $$6 } END { print "passed: " passed + 0 ", failed: " failed + 0 " (" FILENAME ")" }' $(TEST_LOG); \
	echo "left out:"; \
	{ grep -hE '^LEFT OUT|^test .*\.\.\. ignored' $(TEST_LOG) || true; } \
	  | sed -E 's/^LEFT OUT: /  /; s/^test (.*) \.\.\. ignored,? ?/  \1: /' | sort -u; \
	echo "  benches: not run (make bench), compiled by make lint"; \
	exit $$status

# The second one compiles little: of the dependencies only zstd differs without Kafka.
lint: ## Clippy on every target, also without Kafka; a warning is an error
	cargo clippy --all-targets --locked -- -D warnings
	cargo clippy --all-targets --no-default-features --locked -- -D warnings

fmt: ## Format the code
	cargo fmt

fmt-check: ## Fail when the code is not formatted
	cargo fmt --check

doc: ## Build the documentation of the code; a warning is an error
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked --lib --examples

bench: ## Run the benches
	cargo bench --locked --benches

deny: ## Check licences and sources of the dependencies; with cargo-deny, forbidden crates too
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check bans licenses sources; \
	else .ci/licences && echo "cargo-deny is not installed: forbidden crates were not checked (cargo install cargo-deny)"; fi

# How, and with which options: scripts/cluster help. SUPPORT=local asks for processes on this machine where Docker would be used.
start-support: ## Start PostgreSQL and Kafka, with Docker where there is one
logs-support: ## Follow their logs
start: ## Start the roles over them: a scheduler, two workers, two consumers
logs: ## Follow the logs of the roles
load-data: ## Import the sites of config/sites.csv, or SITES=FILE; change those that exist
stop: ## Stop the roles in order
stop-support: ## Stop PostgreSQL and Kafka; the data stays

$(CLUSTER):
	@scripts/cluster $@

ci: ## What CI runs: format, lints, documentation, licences, tests
	.ci/run

clean: ## Remove what was built
	cargo clean
