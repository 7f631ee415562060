# Developer commands; `just` lists them.

default:
    @just --list

# Make the environment
setup:
    python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]'

# The tests of the README
test:
    .venv/bin/python -m pytest -q -n 2 -m 'not slow'

# Everything, also the long checks
slow:
    .venv/bin/python -m pytest -q

# Lint, types and layers
lint:
    .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

# Put the layout in order
format:
    .venv/bin/ruff check --fix . && .venv/bin/ruff format .

# Timings (prints ratios; run on an idle machine)
bench:
    .venv/bin/python -m pytest tests/benchmarks --benchmark-only -s

# What CI runs
ci:
    bash .ci/run
