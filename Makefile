# From a bare machine with Python 3.11: `make demo` runs the main job, `make test` the tests; both install first.
PYTHON ?= python3
# Named beside the rest in one pip call: alone, torchvision would ask for a newer torch and its CUDA libraries.
# For a torch of your own, e.g. one with CUDA: make install TORCH="torch==2.13.0+cu130 --index-url ..."
TORCH ?= torch==2.13.0
BIN := .venv/bin

.PHONY: install demo test check docs bundle

demo: install
	$(BIN)/vidreid demo --output demo

test: install
	$(BIN)/python -m pytest

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32
	$(BIN)/lint-imports

docs: install
	$(BIN)/python docs/generate.py

# For a machine that never had a network: copy the folder there, sh bundle/install.sh
bundle: install
	rm -rf bundle
	$(BIN)/python docs/bundle.py bundle $(TORCH)

install: .venv/.installed

.venv/.installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(TORCH) -e ".[dev]"
	@$(BIN)/python -c "import cv2" || \
		{ echo "OpenCV lacks system libraries: apt-get install libgl1 libglib2.0-0"; exit 1; }
	@touch $@
