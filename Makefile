# Two commands do all the set-up: `make run` (the demonstration) and `make test`.
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TOOLS := $(VENV)/.tools

.PHONY: help run serve test check format bench soak lock clean

help:
	@echo "make run     the five-site demonstration, from nothing to ready"
	@echo "make serve   an empty installation; prints a one-time link for its first administrator"
	@echo "make test    every test, a real browser included"
	@echo "make check   lint, types, import rules"
	@echo "make bench   figures: forwarding, latency, glass to glass"
	@echo "make soak    long runs: kills, garbage, hours"

$(READY): requirements.lock pyproject.toml deploy/setup.sh streams/native.c streams/native.h
	@sh deploy/setup.sh base
	@touch $@

$(TOOLS): $(READY)
	@sh deploy/setup.sh tools
	@touch $@

run: $(READY)
	@exec $(BIN)/command-center run

serve: $(READY)
	@exec $(BIN)/command-center serve

# Side by side, two more than there are cores since most of them wait; then, by themselves, those that promise a time.
WORKERS ?= $(shell cores=$$(nproc); echo $$((cores < 6 ? cores + 2 : 8)))

# Only files with such tests are read for the second part: to read them all takes ten seconds.
# Where it is said that Python keeps no compiled modules, each of the hundred processes would compile them all again.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(TOOLS)
	@failed=0; \
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not alone" || failed=1; \
	$(BIN)/pytest -m alone $$(grep -rl "mark\.alone" --include="test_*.py" tests | sort) || failed=1; \
	exit $$failed

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(TOOLS)
	$(BIN)/python -m tests.bench

soak: $(TOOLS)
	$(BIN)/pytest tests/soak -p no:dash -p no:valkey -p no:schemathesis -o addopts= --timeout 3600 -s

lock: $(READY)
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --strip-extras --allow-unsafe --extra dev -o requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build *.egg-info streams/_native*.so .mypy_cache .ruff_cache .pytest_cache
