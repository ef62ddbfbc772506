# `make demo` and `make test` do all the set-up on a fresh machine.

PYTHON ?= python3
# Path of uv, which installs faster than pip.
UV ?= $(shell command -v uv)

new_environment = $(PYTHON) -m venv $(if $(UV),--without-pip) $(1)
install = $(if $(UV),$(UV) pip install -q --python $(1),$(1)/bin/python -m pip \
	--disable-pip-version-check install) -c constraints.txt

# uv compiles nothing: the first run does, what it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-fast lint clean

demo: .venv/installed
	.venv/bin/python train.py --unfreeze-from block5_conv1

test: .venv/installed-dev .venv-jax/installed
	.venv/bin/python -m pytest tests

test-fast: .venv/installed-dev
	.venv/bin/python -m pytest tests -m "not slow and not process"

lint: .venv/installed-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

.venv/installed: requirements.txt constraints.txt | .venv
	$(call install,.venv) -r requirements.txt
	touch $@

.venv/installed-dev: requirements.txt constraints.txt pyproject.toml | .venv
	$(call install,.venv) -e '.[dev]'
	touch $@

# Nothing but Keras and another backend: a place to open model.keras in.
.venv-jax/installed: constraints.txt | .venv-jax
	$(call install,.venv-jax) keras jax
	touch $@

.venv .venv-jax:
	$(call new_environment,$@)

clean:
	rm -rf .venv .venv-jax build *.egg-info
