# Dream Atlas: every target sets up .venv from the locks itself; second runs start at once.
# ACCEL=cuda installs the CUDA build of JAX instead.

VENV ?= .venv
ACCEL ?= cpu
BIN := $(VENV)/bin
AGENT := envs/$(if $(filter cuda,$(ACCEL)),agent-cuda,agent).lock.txt
LOCKS := $(AGENT) envs/analysis.lock.txt envs/dev.lock.txt
STAMP := $(VENV)/installed-$(ACCEL)-$(firstword $(shell cat $(LOCKS) | cksum))
CODE := dreamer analysis jobs bench tests examples
SMK := Snakefile rules
FAMILIES := atari box2d bsuite dmc memory_maze minigrid procgen
TWO := -n 2 --dist loadfile --no-loadscope-reorder  # two processes, whole files each

export JAX_COMPILATION_CACHE_DIR := $(CURDIR)/.cache/jax
export GLIBC_TUNABLES ?= glibc.malloc.hugetlb=1# large pages, see the Snakefile
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup logger-wandb logger-scope $(FAMILIES:%=env-%) demo sampler-demo v4-demo test test-all test-kill test-slurm provenance lint lock docs clean-specs
help:
	@echo "make demo         train the small agent, analyse it, write results/report.html"
	@echo "make sampler-demo compare samplers of the replay at the demo's scale"
	@echo "make v4-demo      train a DreamerV4 on a moving square, phase after phase, and analyse it"
	@echo "make provenance   what is stale and why; writes results/provenance.html, runs nothing"
	@echo "make test         lint and all quick tests"
	@echo "make test-all     the slow tests too"
	@echo "make test-kill    kill trainings at a hundred random moments and compare their results"
	@echo "make test-slurm   run the workflow on a SLURM of its own on this machine, faults included"
	@echo "make env-NAME     install the environments of $(FAMILIES)"
	@echo "make logger-wandb install Weights & Biases for the option logger; make logger-scope likewise"
	@echo "make lint         ruff, snakefmt, snakemake --lint"
	@echo "make lock         resolve the dependencies of pyproject.toml anew"
	@echo "make docs         draw the README's rule graph anew"
	@echo "make clean-specs  remove spec files that no result was made with"

setup: $(STAMP)

$(STAMP):
	@sh envs/install.sh $(VENV) $(LOCKS)
	@touch $@

# These locks are whole beside the others; what old packages ask for of NumPy is not heeded.
$(FAMILIES:%=env-%): env-%: $(STAMP)
	@$(BIN)/python -m pip install -qq --no-input --disable-pip-version-check --no-deps \
		--no-build-isolation -r envs/env-$*.lock.txt

logger-wandb logger-scope: logger-%: $(STAMP)
	@sh envs/install.sh $(VENV) $(LOCKS) envs/logger-$*.lock.txt

demo: $(STAMP)
	@echo "follow the training with: tail -f results/demo/seed0/logs/train.log"
	@$(BIN)/snakemake --cores all --quiet host reason
	@echo "the report is $(CURDIR)/results/report.html"

sampler-demo: $(STAMP)
	@echo "four samplers, three seeds, about a hundred updates: differences at this scale are noise"
	@$(BIN)/snakemake --cores all --configfile sampler_demo.yaml --quiet host reason
	@echo "the report is $(CURDIR)/results/report.html"

v4-demo: $(STAMP)
	@echo "follow the phases with: tail -f results/v4_demo/seed0/logs/*.log"
	@$(BIN)/snakemake --cores all --configfile v4_demo.yaml --quiet host reason
	@echo "the report is $(CURDIR)/results/report.html"

provenance: $(STAMP)
	@$(BIN)/python -m analysis.provenance --html results/provenance.html || test $$? -eq 1

test: lint
	@$(BIN)/python -m pytest $(TWO) -m "not slow"

test-all: lint
	@$(BIN)/python -m pytest $(TWO)

test-kill: $(STAMP)
	@$(BIN)/python -m pytest tests/test_kill.py -k hundred

test-slurm: $(STAMP)
	@SLURM_ABSENT="$$(sh tests/slurm/install.sh)"; export SLURM_ABSENT; \
		$(BIN)/python -m pytest -n 3 --maxschedchunk 1 --durations 5 $(SLURM_TESTS) tests/slurm

lint: $(STAMP)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/snakefmt --check $(SMK)
	@$(BIN)/snakemake --lint

lock: $(STAMP)
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv lock --quiet --fork-strategy fewest  # one version for every Python
	@for group in wandb scope; do \
		$(BIN)/uv export --quiet --frozen --only-group $$group --no-hashes --no-annotate --no-header \
			--no-emit-project --output-file envs/logger-$$group.lock.txt >/dev/null || exit 1; \
	done
	@for group in agent agent-cuda analysis dev; do \
		$(BIN)/uv export --quiet --frozen --only-group $$group --no-hashes --no-annotate --no-header \
			--no-emit-project --output-file envs/$$group.lock.txt >/dev/null || exit 1; \
	done
	@rm -f uv.lock
	@$(BIN)/python -m jobs.conda

docs: $(STAMP)
	@$(BIN)/python -m jobs.rulegraph

clean-specs: $(STAMP)
	@$(BIN)/python -m jobs.sweep
