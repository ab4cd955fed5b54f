# Two commands: `make demo` and `make test`. Each sets everything up first; both work on a fresh
# machine with Python >= 3.11, a C compiler, and Go (or the toolchain from PyPI where it is missing).

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: profiles bench-containers images-lock bench-network-up docs pharma-long faults bench-disk test-docker compose help setup demo test unit lint sync cli-docs format lock clean bench-gateway bench-chaincode bench-consumers consumer-faults conformance soak bench-ehr ehr-model

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make demo       start a consortium, tell the story of one record, take everything down
##                 BUNDLE=patient.json takes another FHIR bundle, KEEP=1 leaves the network up,
##                 DOCKER=1 runs it in containers (needs a Docker engine)
demo: setup
	@$(BIN)/medfab demo

## make test       lint, types, unit tests, and integration tests on a real network
test: setup lint
	@$(BIN)/python -m pytest tests/unit tests/release tests/integration tests/conformance --durations=10

## make unit       unit tests alone: seconds, no network
unit: setup
	@$(BIN)/python -m pytest tests/unit

## make conformance  one contract four times (ours, raw, Go, Node), compared; prints the table
conformance: setup
	@CONFORMANCE_REPORT=1 $(BIN)/python -m pytest -q tests/conformance

## make soak       the tests of endurance and faults in full size, an hour or two; what they find
##                 goes to bench/results/soak.json. ONLY=words takes those whose names have them
soak: setup
	@MEDFAB_SOAK=1 $(BIN)/python -m pytest -s -k "$(ONLY)" \
		tests/unit/chaincode/test_shim_load.py tests/unit/chaincode/test_shim_fuzz.py \
		tests/unit/gateway/test_endurance.py tests/integration/test_shim_load.py \
		tests/integration/test_gateway_resilience.py tests/integration/test_events_recovery.py \
		tests/integration/test_ledger_differential.py

## make lint       ruff, mypy --strict; whether the synchronous client and docs/cli.md are up to date
lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python scripts/make_sync.py --check
	@$(BIN)/python scripts/make_cli_docs.py --check
	@$(BIN)/python scripts/version.py --check

## make sync       make the synchronous client anew from the asynchronous one
sync: setup
	@$(BIN)/python scripts/make_sync.py

## make cli-docs   make docs/cli.md anew from the commands
cli-docs: setup
	@$(BIN)/python scripts/make_cli_docs.py

## make format     let ruff format everything
format: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

## make lock       update uv.lock after a change of dependencies
lock: $(VENV)/.ready
	@.uv/bin/uv lock

## make version    print the version of the three distributions; V=0.2.0 sets it everywhere
version: setup
	@$(BIN)/python scripts/version.py $(V)

## make dist       wheels and source distributions of what is committed, in dist/, checked by twine
dist: setup .release/.ready
	@scripts/dist dist
	@.release/bin/twine check --strict dist/*.tar.gz dist/*.whl

# What makes and checks a release, apart from what the project runs on.
.PHONY: version dist test-release test-lowest test-highest audit sbom notices api

.release/.ready: uv.lock pyproject.toml $(VENV)/.ready
	@UV_PROJECT_ENVIRONMENT=.release UV_PYTHON_DOWNLOADS=never .uv/bin/uv sync --quiet --locked --only-group release
	@touch $@

## make test-release  the distributions built, each installed alone into a clean environment and
##                 tried out there, with every extra by itself and with plain pip
test-release: setup
	@MEDFAB_RELEASE_FULL=1 $(BIN)/python -m pytest tests/release --durations=10

## make test-lowest   unit tests with the oldest versions that the requirements admit
test-lowest: setup
	@PYTHON="$(PYTHON)" scripts/bounds lowest
	@PYTHON="$(PYTHON)" scripts/bounds bare

## make test-highest  unit tests with the newest versions that there are; PYTHON=python3.13 likewise
test-highest: setup
	@PYTHON="$(PYTHON)" scripts/bounds highest

## make audit      known vulnerabilities of what the distributions need; STRICT=1: what could not be
##                 asked is a failure too, OSV=URL: asks another service than PyPI
audit: setup .release/.ready
	@$(BIN)/python scripts/audit.py $(if $(STRICT),--strict) $(if $(OSV),--osv "$(OSV)")

## make api        write down the public API anew (tests/unit/release/api), for a review to see
api: setup
	@$(BIN)/python scripts/make_api.py

## make sbom       bills of materials (CycloneDX) of the distributions and of the Fabric builds, in dist/
sbom: setup .release/.ready
	@$(BIN)/python -m scripts.sbom

## make notices    THIRD-PARTY-NOTICES.md anew, and the texts of all licences in dist/
notices: setup .release/.ready
	@$(BIN)/python -m scripts.notices

## make setup      the virtual environment in .venv (demo and test do this by themselves)
setup: $(VENV)/.ready

# Interpreter, uv, and every dependency as uv.lock pins it. A failure leaves no stamp.
$(VENV)/.ready: uv.lock pyproject.toml gateway/pyproject.toml chaincode/pyproject.toml network/pyproject.toml scripts/setup
	@PYTHON="$(PYTHON)" scripts/setup
	@touch $@

## make ehr-model  the health-record contract against its model, thousands of random lives
ehr-model: setup
	@EHR_MODEL_EXAMPLES=3000 $(BIN)/python -m pytest -q tests/unit/chaincode/test_ehr_model.py

.PHONY: bench

## make bench      everything side by side: bench/results/latest.json, docs/performance.md, the
##                 README's table (a quarter of an hour); QUICK=1 for a look in two minutes,
##                 ONLY=stacks,health,growth,network or page for parts, LONG=1 for a million records
bench: setup
	@PYTHONPATH=tests QUICK="$(QUICK)" ONLY="$(ONLY)" LONG="$(LONG)" $(BIN)/python -m bench.suite

## make bench-ehr   what a decision costs with a million consents in memory, 100,000 on a network
bench-ehr: setup
	@PYTHONPATH=tests $(BIN)/python -m bench.ehr_costs
	@PYTHONPATH=tests $(BIN)/python -m bench.ehr_costs --network

## make bench-gateway   CPU of our gateway client beside the official ones; QUICK=1 for a look
bench-gateway: setup
	@PYTHONPATH=tests QUICK="$(QUICK)" ONLY="$(ONLY)" $(BIN)/python -m bench.gateway

## make profiles   where the CPU of calls, of the block decoder and of a chaincode process goes:
##                 bench/profiles/
profiles: setup
	@PYTHONPATH=tests $(BIN)/python -m bench.profiles
	@PYTHONPATH=.:tests $(BIN)/python -m bench.profiles_chaincode

## make bench-chaincode CPU of our shim and contract API beside the official ones; QUICK=1 likewise
bench-chaincode: setup
	@PYTHONPATH=tests QUICK="$(QUICK)" ONLY="$(ONLY)" BESIDE="$(BESIDE)" $(BIN)/python -m bench.chaincode

## make test-docker  the same network in containers; needs a Docker engine (Debian: docker.io) and
##                 docker-compose, installs nothing by itself
test-docker: setup
	@$(BIN)/python -m pytest tests/containers --durations=10

## make bench-network-up  from nothing to the first commit, beside Fabric's nano-bash; RUNS=5
bench-network-up: setup
	@PYTHONPATH=.:tests $(BIN)/python -m bench.network_up $(or $(RUNS),5)

## make bench-containers  memory and start-up of nodes in containers, beside processes; RUNS=3
bench-containers: setup
	@PYTHONPATH=.:tests $(BIN)/python -m bench.containers $(or $(RUNS),3)

## make images-lock  images.lock anew: Debian's newest packages, uv.lock's, go.sum's (on Debian 12)
images-lock: setup
	@$(BIN)/python scripts/make_image_lock.py

## make compose    write docker-compose.yaml anew from the default topology
compose: setup
	@$(BIN)/medfab network compose > docker-compose.yaml.new
	@mv docker-compose.yaml.new docker-compose.yaml

## make bench-consumers CPU and memory of projecting 100,000 transactions; QUICK=1 for a look
bench-consumers: setup
	@PYTHONPATH=tests QUICK=$(QUICK) $(BIN)/python -m bench.consumers

## make consumer-faults 50 kills of consumer, peer, orderer and database under load; KILLS=n
consumer-faults: setup
	@PYTHONPATH=tests $(BIN)/python -m bench.consumer_faults

## make faults     every kind of node killed, stopped, paused, cut off, with a full disk, … under
##                 load; writes docs/faults.md (half an hour on a busy machine; ROUNDS=1: fewer kills;
##                 ONLY=words: those faults alone, and no page). Full disks need root
faults: setup
	@PYTHONPATH=tests $(BIN)/python -m faults --rounds $(or $(ROUNDS),5) --only "$(ONLY)"

## make bench-disk  disk, memory and CPU of nodes per thousand transactions of each kind; writes
##                 docs/sizing.md (about six minutes; QUICK=1: a look)
bench-disk: setup
	@PYTHONPATH=tests QUICK="$(QUICK)" $(BIN)/python -m bench.disk

## make pharma-long      long random walks, 32 clients and costs of the supply contract (15 minutes)
pharma-long: setup
	@PHARMA_WALKS=20 PHARMA_STEPS=200 $(BIN)/python -m pytest -q -s tests/unit/chaincode/test_pharma_model.py
	@PHARMA_STEPS=300 PHARMA_MOVES=20 $(BIN)/python -m pytest -q -s tests/integration/test_pharma.py
	@PYTHONPATH=tests $(BIN)/python -m bench.pharma
	@PYTHONPATH=tests $(BIN)/python -m bench.pharma --network
	@PYTHONPATH=tests $(BIN)/python -m bench.pharma --recall

## make docs       the site of docs/, into site/; what does not hold together is an error.
##                 SERVE=1 serves it on http://127.0.0.1:8000 and follows changes
docs: setup
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs $(if $(SERVE),serve,build --quiet --strict)

## make clean      stop the network in .medfab and delete it, and the environment
clean:
	@if [ -x $(BIN)/medfab ]; then $(BIN)/medfab network clean --yes; fi
	rm -rf $(VENV) .uv .release .bounds dist
