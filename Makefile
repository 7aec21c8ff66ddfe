# Two commands: `make study` and `make test`. Each sets up .venv once if needed.
#
# ARGS is passed on, e.g. `make study ARGS=--workdir=/data/out` or
# `make test ARGS="-k cli"` (ARGS=-n0 for one process, as debuggers need it).
# PYTHON names the interpreter to use.

SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
ARGS :=
# Tests of a file share what they compile. More processes need more memory.
PYTEST := $(PY) -m pytest -n auto --maxprocesses=4 --dist=loadfile

# XLA's CPU backend takes memory for every step anew. glibc asks for it in huge
# pages, of which the kernel has fewer to clear: the same results, sooner.
export GLIBC_TUNABLES ?= glibc.malloc.hugetlb=1

# The TPU compiler, apart from the packages: JAX looks for TPUs where it finds it.
LIBTPU := $(VENV)/tpu/libtpu/libtpu.so

# Optional packages, by the names that setup.py gives them.
EXTRAS := cuda hf lm-eval tpu

.PHONY: study test test-slow test-tpu chaos lint format requirements clean $(EXTRAS)
.DELETE_ON_ERROR:

study: $(READY)
	$(PY) -m icl_gen.study --config=configs/study.py $(ARGS)

test: lint
	$(PYTEST) -m 'not slow' $(ARGS)

# Slow tests: kills at random moments, the --small size of every benchmark, ...
test-slow: $(READY)
	$(PYTEST) -m 'slow and not tpu' $(ARGS)

# Compiles the table of docs/real-gemma.md for TPUs that need not be there, one
# row after the other: minutes each (ARGS="-k gemma3_1b" for some).
test-tpu: $(LIBTPU)
	TPU_LIBRARY_PATH=$(CURDIR)/$(LIBTPU) $(PY) -m pytest -n0 -m tpu \
	  tests/compiling $(ARGS)

# Kills, damage, pairs of commands and hostile input, at random (tests/chaos/):
# make chaos ARGS="--rounds=1000 --seed=0"
chaos: $(READY)
	$(PY) -m tests.chaos $(ARGS)

lint: $(READY)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

format: $(READY)
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

# Pins the version ranges of setup.py in requirements.txt, with the hashes of all
# files, for every platform and Python 3.12 and later; [tool.uv] in pyproject.toml
# lists exclusions. Existing pins that still fit are kept; ARGS=--upgrade updates
# all.
requirements: $(READY)
	UV_CUSTOM_COMPILE_COMMAND='make requirements' $(PY) -m uv pip compile \
	  setup.py --extra dev --universal --python-version 3.12 \
	  --generate-hashes --no-annotate --quiet \
	  --output-file requirements.txt $(ARGS)

# `make hf` and the like. uv leaves out xmanager, as pyproject.toml says, which
# pip would install with 48 packages more; the pinned packages stay as they are.
# Installed, they add 5.2 GB (hf: torch comes with its own CUDA), 4.8 GB (cuda),
# 0.6 GB (tpu) and 0.1 GB (lm-eval).
$(EXTRAS): $(READY)
	$(PY) -m uv pip install --python $(PY) --constraints requirements.txt \
	  --no-build-isolation --editable '.[$@]' $(ARGS)

$(LIBTPU): $(READY)
	version=$$($(PY) -c \
	  'from icl_gen.compiling import topology; print(topology.LIBTPU)') && \
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps \
	  --upgrade --target=$(VENV)/tpu "libtpu==$$version.*"
	@touch $@

# Keeps the outputs of runs (out/).
clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up ------------------------------------------------------------------

# Finds the first Python 3.12 or 3.13 (the versions for which the pinned packages
# have wheels) that can create environments. Candidates are run, because a pyenv
# shim may exist and fail. Pythons of uv and pyenv are tried even if inactive.
define FIND_PYTHON
fits() { \
  "$$1" -c 'import ensurepip, sys, venv; \
  sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; \
}; \
if [ -n "$(PYTHON)" ]; then set -- "$(PYTHON)"; else \
  set -- python3.12 python3.13 python3 \
    "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.12*/bin/python \
    "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13*/bin/python \
    "$${XDG_DATA_HOME:-$$HOME/.local/share}"/uv/python/*-3.12*/bin/python3 \
    "$${XDG_DATA_HOME:-$$HOME/.local/share}"/uv/python/*-3.13*/bin/python3; \
fi; \
for found; do if fits "$$found"; then break; else found=; fi; done
endef

define NO_PYTHON
echo 'error: no usable Python 3.12 or 3.13 was found$(if $(PYTHON), in \
PYTHON=$(PYTHON)).' >&2; \
echo 'Install one, with its venv module, and re-run the command:' >&2; \
echo '  Debian, Ubuntu:  sudo apt-get install python3.12 python3.12-venv' >&2; \
echo '  macOS:           brew install python@3.12' >&2; \
echo '  pyenv:           pyenv install 3.12' >&2; \
echo '  uv:              uv python install 3.12' >&2; \
echo 'or specify it:     make PYTHON=/path/to/python3.12 ...' >&2; \
exit 1
endef

# --no-deps: the pinned file is complete and deliberately omits xmanager (see
# pyproject.toml), so pip must not resolve dependencies. --require-hashes: nothing
# is installed but the files that were pinned.
$(READY): requirements.txt setup.py pyproject.toml
	@if ! $(PY) -m pip --version >/dev/null 2>&1; then \
	  $(FIND_PYTHON); \
	  if [ -z "$$found" ]; then $(NO_PYTHON); fi; \
	  echo "Set-up, once: $(VENV) with $$("$$found" --version)."; \
	  "$$found" -m venv --clear $(VENV); \
	fi
	@echo 'Downloading the pinned packages: about 770 MB (3.1 GB installed),'
	@echo 'tensorflow-cpu being 274 MB of it; a few minutes.'
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps \
	  --require-hashes -r requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps \
	  --no-build-isolation -e .
	@touch $@
