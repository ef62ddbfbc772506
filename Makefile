# `make demo` and `make test` do all the set-up on a fresh machine.

PYTHON ?= python3
# Path of uv, which installs faster than pip.
UV ?= $(shell command -v uv)

new_environment = $(PYTHON) -m venv $(if $(UV),--without-pip) $(1)
install = $(if $(UV),$(UV) pip install -q --python $(1),$(1)/bin/python -m pip \
	--disable-pip-version-check install) -c constraints.txt

site_packages = $(1)/bin/python -c \
	"import sysconfig; print(sysconfig.get_path('purelib'))"

# uv compiles nothing: the first run does, what it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-fast lint clean

demo: .venv/installed
	.venv/bin/python train.py --unfreeze-from block5_conv1

test: .venv/installed-dev .venv-jax/installed .venv-ray/installed
	.venv/bin/python -m pytest tests
	.venv-ray/bin/python -m pytest tests/work -m ray -n 0

test-fast: .venv/installed-dev
	.venv/bin/python -m pytest tests -m "not slow and not process and not ray"

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

# Ray, and by a .pth file all of .venv: TensorFlow is there once.
.venv-ray/installed: constraints.txt .venv/installed-dev | .venv-ray
	$(call install,.venv-ray) --no-deps ray msgpack pandas pyarrow
	$(call site_packages,.venv) >"$$($(call site_packages,.venv-ray))/thaw.pth"
	touch $@

.venv .venv-jax .venv-ray:
	$(call new_environment,$@)

clean:
	rm -rf .venv .venv-jax .venv-ray build *.egg-info
