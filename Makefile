# pyamp. `make help` lists the targets.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
TORCH  ?= torch==2.13.0
SHERPA_VERSION ?= 3.0.3b2
SHERPA_FETCHED := $(CURDIR)/.sherpa/$(SHERPA_VERSION)
SHERPA_DIR ?= $(SHERPA_FETCHED)
TEST_WORKERS ?= 2

export SHERPA_DIR
BIN := $(abspath $(VENV))/bin
PIP := $(BIN)/pip --disable-pip-version-check -q
STAMPS := $(VENV)/.stamps
CORE_SOURCES := $(shell find csrc cmake CMakeLists.txt pyproject.toml -type f)
PLUGIN_SOURCES := $(shell find sherpa_plugin -type f)

.PHONY: FORCE help build demo test check format clean
help:
	@echo "make build   set up .venv, build libpyamp, the Python package and the Sherpa plugin"
	@echo "make demo    the whole path once: truth, training, model file, C++ evaluator, Sherpa, f_eff (< 8 minutes)"
	@echo "make test    all tests"
	@echo "make check   ruff, mypy --strict, clang-format"
	@echo "make format  apply ruff and clang-format"
	@echo "Options: PYTHON=python3.11 VENV=.venv TORCH='torch==2.13.0' SHERPA_DIR=/path/of/an/installed/sherpa"
	@echo "         TEST_WORKERS=2: processes of make test"
	@echo "         TORCH_INDEX=https://download.pytorch.org/whl/cpu: a Torch without CUDA, smaller by gigabytes"

build: $(STAMPS)/plugin

$(STAMPS)/venv:
	@scripts/check_system.sh "$(PYTHON)"
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

# Torch first and alone, pinned: everything else then finds it installed and asks for no other build of it.
$(STAMPS)/dependencies: $(STAMPS)/venv pyproject.toml scripts/requirements.py
	$(PIP) install $(if $(TORCH_INDEX),--index-url "$(TORCH_INDEX)") "$(TORCH)"
	$(PIP) install $$($(BIN)/python scripts/requirements.py build runtime test)
	@touch $@

$(STAMPS)/core: $(STAMPS)/dependencies $(CORE_SOURCES)
	PATH="$(BIN):$$PATH" $(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

$(SHERPA_FETCHED)/bin/Sherpa: | $(STAMPS)/venv
	$(PIP) install --target "$(SHERPA_FETCHED)" --no-deps --only-binary=:all: --implementation cp \
	    --python-version 3.12 --abi cp312 --platform manylinux_2_34_x86_64 sherpa-mc==$(SHERPA_VERSION)

ifneq ($(SHERPA_DIR),$(SHERPA_FETCHED))
$(SHERPA_DIR)/bin/Sherpa:
	@echo "make: SHERPA_DIR=$(SHERPA_DIR) has no bin/Sherpa; give the folder of an installed Sherpa 3, or leave it out" >&2; exit 2
endif

# Changes when another Sherpa is named, so that the plugin is built again for it.
$(STAMPS)/sherpa_dir: FORCE | $(STAMPS)/venv
	@echo "$(SHERPA_DIR)" | cmp -s - $@ || echo "$(SHERPA_DIR)" > $@

$(STAMPS)/plugin: $(STAMPS)/core $(STAMPS)/sherpa_dir $(PLUGIN_SOURCES) | $(SHERPA_DIR)/bin/Sherpa
	$(BIN)/cmake -S sherpa_plugin -B build/sherpa_plugin -G Ninja -DCMAKE_BUILD_TYPE=Release \
	    -DCMAKE_MAKE_PROGRAM="$(BIN)/ninja" -DSHERPA_DIR="$(SHERPA_DIR)" \
	    -DPYAMP_LIBRARY="$$($(BIN)/python -m pyamp.paths libpyamp)" -DCMAKE_INSTALL_PREFIX="$(abspath $(VENV))" > build/sherpa_plugin.log
	$(BIN)/cmake --build build/sherpa_plugin --target install >> build/sherpa_plugin.log || { cat build/sherpa_plugin.log; exit 1; }
	@touch $@

demo: build
	$(BIN)/pyamp demo --output demo
	$(BIN)/python benchmarks/f_eff.py demo/run/model.safetensors --quick --json demo/f_eff.json \
	    --sherpa-truth demo/sherpa_truth/summary.yaml --sherpa-two-stage demo/sherpa_two_stage/summary.yaml

test: build
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

$(STAMPS)/check: $(STAMPS)/dependencies
	$(PIP) install $$($(BIN)/python scripts/requirements.py check)
	@touch $@

check: build $(STAMPS)/check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $$(git ls-files '*.h' '*.cpp' '*.cu' '*.H' '*.C')

format: $(STAMPS)/check
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $$(git ls-files '*.h' '*.cpp' '*.cu' '*.H' '*.C')

clean:
	rm -rf build demo $(STAMPS)
