# The project's commands. Each makes what it needs first: system packages, the virtual environment.
# PYTHON=python3.12 chooses the interpreter, VENV=folder the environment.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SANDBOX := $(BIN)/python -m rds_iam_magic.sandbox
READY := $(VENV)/.ready
DEMO_READY := $(VENV)/.demo

# A worker has a sandbox of its own and takes the next group of tests when it has finished one.
PYTEST := $(BIN)/python -m pytest --dist loadgroup

.PHONY: demo test quick test-busy lab screenshots check bench bench-check soak docs site format system chromium sshd clean

demo: $(DEMO_READY)  ## Run the set-up notebook in the sandbox and print what an analyst sees
	@echo "Starting a sandbox and running notebooks/setup.ipynb in it (about 15 s; the first time 10 s more)."
	@$(SANDBOX) -- $(BIN)/python notebooks/run.py notebooks/setup.ipynb build

test: $(READY) chromium sshd  ## Run the whole test suite
	$(PYTEST) -n auto $(ARGS)

# What pytest makes of the tests' code is kept between runs, even where Python is told to write none: a second's work.
quick: $(READY)  ## Run the tests that need no server
	@PYTHONDONTWRITEBYTECODE= $(PYTEST) --dist worksteal -q -n 2 --quick $(ARGS)

test-busy: $(READY) chromium sshd  ## Run the whole test suite beside four busy loops for each core
	$(BIN)/python -m tests.busy $(PYTEST) -n auto $(ARGS)

lab: $(READY)  ## JupyterLab on the notebooks, inside the sandbox
	$(SANDBOX) -- $(BIN)/jupyter lab --notebook-dir=notebooks $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS)

screenshots: $(READY) chromium  ## Make the pictures in docs/images/ again, of real cells
	@$(BIN)/python -m tests.browser.screenshots docs/images

check: $(READY)  ## Lint and type-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# SHAPES=mixed TOOLS=ours,floor,duckdb for a part; BENCH='--write README.md docs/performance.md' puts the tables there.
bench: $(READY) $(VENV)/.bench  ## Measure this project and its rivals side by side; see docs/performance.md
	$(BIN)/python -m benchmarks $(if $(SHAPES),--shapes $(SHAPES)) $(if $(TOOLS),--tools $(TOOLS)) $(BENCH)

bench-check: $(READY)  ## A tiny benchmark of what is installed, for its correctness: all tools must give the same values
	$(BIN)/python -m benchmarks --scale 0.002 --rounds 1 --sections read,small,slow,parallel,load --check

# The rivals; mysqlclient is compiled, against a header that comes with libmariadbd-dev or Homebrew's mariadb.
$(VENV)/.bench: pyproject.toml $(READY)
	@if [ "$$(uname)" != Darwin ] && ! command -v pkg-config >/dev/null; then \
	  $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends pkg-config >/dev/null; \
	fi
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $(VENV)/.bench

soak: $(READY)  ## Cut connections, then interrupt, at random for SECONDS each under reads and writes, against a ledger
	$(BIN)/python -m tests.reliability.soak $(or $(SECONDS),180)
	$(BIN)/python -m tests.reliability.storm $(or $(SECONDS),180)

docs: $(READY)  ## Write the pages that come from the code: reliability, reference, errors, targets, compared
	$(BIN)/python -m tests.reliability.write_docs
	$(BIN)/python -m tests.doctor.write_docs
	$(BIN)/python -m tests.write_reference
	$(BIN)/python -m tests.write_errors
	$(BIN)/python -m tests.write_targets
	$(BIN)/python -m tests.write_compared

site: $(READY)  ## Build the documents as a site, into build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict -f docs/site/mkdocs.yml
	@echo "The site: build/site/index.html"

format: $(READY)  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(READY): pyproject.toml | system
	@echo "Installing this project and what develops it into $(VENV) (about two minutes)."
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) --editable '.[dev]'
	@touch $(READY) $(DEMO_READY)

# Much less than the above, which has all of it. What is imported is compiled then.
$(DEMO_READY): pyproject.toml | system
	@echo "Installing this project and what its demo needs into $(VENV) (about a minute)."
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) --no-compile --editable '.[demo]'
	@touch $(DEMO_READY)

INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

# What the sandbox needs of the system: a MariaDB server (not started as a service), its headers, a C compiler.
# What is there is left alone; what is missing is installed with apt or Homebrew.
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
system:
	@if [ "$$(uname)" = Darwin ]; then \
	  command -v mariadbd >/dev/null || { echo "Installing with Homebrew: mariadb (some minutes)"; brew install mariadb; }; \
	else \
	  missing=; \
	  command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] || missing="$$missing mariadb-server-core"; \
	  [ -e /usr/include/mariadb/server/mysql/plugin_auth.h ] || missing="$$missing libmariadbd-dev"; \
	  command -v cc >/dev/null || missing="$$missing gcc libc6-dev"; \
	  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || missing="$$missing python3-venv"; \
	  if [ -n "$$missing" ]; then \
	    echo "Installing with apt-get:$$missing (up to a minute)"; \
	    $(SUDO) apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	  fi; \
	fi

# What the tests in a browser and the pictures need besides: any Chromium or Chrome. What is there is left alone.
chromium:
	@if { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null; then :; \
	elif [ "$$(uname)" = Darwin ]; then \
	  [ -d "/Applications/Google Chrome.app" ] || { \
	    echo "Installing with Homebrew: google-chrome"; brew install --cask google-chrome; }; \
	elif command -v apt-get >/dev/null; then \
	  echo "Installing with apt-get: chromium (up to a minute)"; \
	  $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else echo "The tests in a browser need chromium on the PATH." >&2; exit 1; fi

# What the tests of --ssh need besides. Where its package is installed for them, its service is kept from starting.
sshd:
	@if { command -v sshd || [ -x /usr/sbin/sshd ]; } >/dev/null; then :; \
	elif command -v apt-get >/dev/null; then \
	  echo "Installing with apt-get: openssh-server, its service masked (up to a minute)"; \
	  $(SUDO) mkdir -p /etc/systemd/system; \
	  $(SUDO) ln -s /dev/null /etc/systemd/system/ssh.service 2>/dev/null; \
	  $(SUDO) ln -s /dev/null /etc/systemd/system/ssh.socket 2>/dev/null; \
	  $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends \
	    openssh-server openssh-client >/dev/null; \
	else echo "The tests of --ssh need sshd on the PATH." >&2; exit 1; fi

clean:  ## Remove what was built; the virtual environment too
	rm -rf build dist $(VENV) .mypy_cache .ruff_cache .pytest_cache
