# `make demo` and `make test` do all the set-up on a fresh machine.

PYTHON ?= python3

.PHONY: demo test lint clean

demo: .venv/installed
	.venv/bin/python train.py --unfreeze-from block5_conv1

test: .venv/installed-dev .venv-jax/installed
	.venv/bin/python -m pytest tests

lint: .venv/installed-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

.venv/installed: requirements.txt
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install -r requirements.txt
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	.venv/bin/python -m pip install -r requirements-dev.txt
	touch $@

# Nothing but Keras and another backend: a place to open model.keras in.
.venv-jax/installed:
	$(PYTHON) -m venv .venv-jax
	.venv-jax/bin/python -m pip install keras jax
	touch $@

clean:
	rm -rf .venv .venv-jax
