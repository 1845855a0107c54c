# Every target sets up .venv from requirements.lock first, where it is missing or stale.
.DEFAULT_GOAL := help
.PHONY: help setup demo turing-demo test quick coverage report ui lint docs bench correct robust clean lock

PY := .venv/bin/python
ifndef PYTHON
PYTHON := $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$name && break; done)
endif
PORT ?= 5000
BENCHMARKS := step encoding prepare pipeline tracking memory report run_time table
export PYTHONUNBUFFERED := 1

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

setup: .venv/ready  ## make .venv from requirements.lock

.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "ablate needs Python 3.11 to 3.13 with venv (on Debian: apt-get install python3-venv);" \
		"set PYTHON=/path/to/one if it is not on the PATH" >&2; exit 1; }
	@echo "Setting up .venv (a few minutes, about 3 GB, the first time)"
	@$(PYTHON) -m venv --clear .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/ready

demo: .venv/ready  ## train four small variants, three seeds each, report on them, and colour a photograph
	@$(PY) -m ablate.run -m experiment=demo data=sample scale=smoke hardware.threads=1 hardware.devices=cpu
	@$(PY) -m ablate.report study=demo partial=true
	@echo "A photograph that none of these networks has seen, coloured by each variant, which trained for seconds on five" \
		"photographs, and by the network in the package, which trained for an hour on 50,000:"
	@$(PY) -m ablate.colorize sample/china study=demo model=packaged compare=true overwrite=true out=results/colorized/demo
	@echo "All of it in MLflow:  make ui"

turing-demo: demo  ## let people judge the demo's pictures, in a browser; make turing-demo PORT=8081
	@test -f results/turing/demo/manifest.json || $(PY) -m ablate.turing build study=demo \
		out=results/turing/demo crops=8 practice=2 test=8 checks=2
	@$(PY) -m ablate.turing serve results/turing/demo port=$(if $(filter file,$(origin PORT)),8080,$(PORT))

# Where it is set, every process of the tests would compile anew what it imports, and rewrite all assertions.
test quick coverage: export PYTHONDONTWRITEBYTECODE :=

test: .venv/ready  ## run the tests
	@$(PY) -m pytest -n 4 --dist worksteal

quick: .venv/ready  ## run the fast tests, for the inner loop
	@$(PY) -m pytest -n 4 --dist worksteal -m "not slow and not browser and not database"

coverage: .venv/ready  ## run the tests and say which lines they reach
	@$(PY) -m pytest -n 4 --dist worksteal --cov --cov-fail-under=90

report: .venv/ready  ## report on the newest study; make report ARGS="study=NAME out=DIR"
	@$(PY) -m ablate.report $(ARGS)

ui: .venv/ready  ## open MLflow on the runs; make ui PORT=5001
	@case "$$MLFLOW_TRACKING_URI" in http*) echo "MLflow is served at $$MLFLOW_TRACKING_URI"; exit;; esac; \
	uri=$$($(PY) -c "from ablate.cli.command_line import configured_uri; from ablate.config.paths import results_dir; \
		from ablate.tracking.store import open_store, store_uri; \
		uri = store_uri(configured_uri(None, []), results_dir()); open_store(uri); print(uri)") || exit; \
	echo "MLflow: http://localhost:$(PORT); choose Model training at its top left. Its studies:"; \
	$(PY) -c "import sys; from ablate.tracking.store import open_store; from ablate.tracking.study_record import \
		study_addresses; open_store(sys.argv[1]); \
		[print(f'  {name}: http://localhost:$(PORT)/{page}') for name, page in [*study_addresses().items()][:5]]" "$$uri"; \
	$(PY) -m mlflow server --workers 1 --port $(PORT) --backend-store-uri "$$uri"

lint: .venv/ready  ## check style, types, the dependency rule, docs/architecture.md and the reference
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-cache
	@$(PY) docs/architecture.py --check
	@$(PY) docs/reference --check

docs: .venv/ready  ## build the documentation site into site/, with every link checked
	@$(PY) docs/site

bench: .venv/ready  ## measure speed, side by side, and write docs/performance.md
	@for name in $(BENCHMARKS); do echo "benchmarks/$$name.py"; $(PY) benchmarks/$$name.py || exit 1; done

correct: .venv/ready  ## kill studies and launch them everywhere: the same bits (half an hour)
	@for name in colorization digits own_loop; do $(PY) benchmarks/chaos.py $$name || exit 1; done
	@$(PY) benchmarks/launchers.py

robust: .venv/ready  ## try hostile surroundings and inputs, and write docs/robustness.md (a quarter of an hour)
	@$(PY) benchmarks/robustness.py

lock: .venv/ready  ## write requirements.lock anew from pyproject.toml (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --no-strip-extras --upgrade pyproject.toml -o requirements.lock

clean:  ## remove .venv and caches; runs and reports stay
	@rm -rf .venv build dist site .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
