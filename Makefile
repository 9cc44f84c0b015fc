# `make` or `make help` says what there is.
.DEFAULT_GOAL := help
.PHONY: help demo build install beam test-beam demo-beam tidy-beam extension test-extension test-dbt-duckdb wheel test fetched compiled test-cpus unit lint vulncheck bench fixtures conformance clients faults soak fuzz hostile models tensorflow googlesql clean

GO      ?= go
PYTHON  ?= python3
MODELS  := build/models
GOOGLE  := build/google
CLIENTS := build/clients
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# Cloud Storage is asked over HTTP only: without its gRPC client the binary is 19 MB smaller and a cold build 24 s of processor time
# shorter. Every go command below takes the tags from here, and so does what the linter loads.
TAGS    := disable_grpc_modules
export GOFLAGS := -tags=$(TAGS) $(GOFLAGS)

# Tools, pinned here so that they stay out of go.mod.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
VULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# The packages whose tests compare what models give.
CPU_TESTS := ./connectors/tensorflow ./functions ./extension ./extension/emulate

help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build $(MODELS)/guesslang tensorflow googlesql ## fetch a real model and tell the language of every source file here
	@bin/mallard -bail -f examples/languages.sql

build: ## build bin/mallard
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/mallard ./cmd/mallard

# The module beam has a workspace of its own, beam/go.work, so that nothing of Apache Beam reaches the module of bin/mallard. Its first
# build compiles Apache Beam, for a minute and more, and so no part of it stands in `make test`.
beam: build ## build bin/mallard-beam, which runs a statement over many files on Apache Beam; bin/mallard beam hands over to it
	cd beam && $(GO) build -trimpath -o ../bin/mallard-beam ./cmd/mallard-beam

test-beam: beam fetched ## lint and test the module, then SHARDS (200) shards of ROWS (10000) rows on Prism against one process
	cd beam && $(GO) vet ./... && $(GO) run -exec "env 'GOFLAGS=$(GOFLAGS)'" $(STATICCHECK) ./... && $(GO) test -timeout 30m ./...
	beam/prism.sh $(or $(SHARDS),200) $(or $(ROWS),10000)

demo-beam: beam $(MODELS)/guesslang tensorflow ## tell the language of 200 shards of the files here, and count them, on Apache Beam
	@beam/demo.sh

# No version of the main module is published, so that the module's go.mod can be tidied with a replacement alone, which is taken out again.
tidy-beam: ## tidy beam/go.mod
	cd beam && $(GO) mod edit -replace=github.com/mallardml/mallard=../ && (GOWORK=off $(GO) mod tidy; \
	  $(GO) mod edit -dropreplace=github.com/mallardml/mallard)

PREFIX ?= /usr/local
install: build ## bin/mallard, its manual page and what shells complete, below PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	  $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	install -m 755 bin/mallard $(DESTDIR)$(PREFIX)/bin/mallard
	bin/mallard man > $(DESTDIR)$(PREFIX)/share/man/man1/mallard.1
	bin/mallard completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mallard
	bin/mallard completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/mallard.fish
	bin/mallard completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_mallard

# The loadable extension: built with the host's table of functions in place of libduckdb. A first build takes minutes, since -buildmode=c-shared
# compiles every package once more.
EXTENSION := build/extension
HOSTED    := $(TAGS),duckdb_use_static_lib,mallard_loadable
extension: ## build $(EXTENSION)/VERSION/mallard.duckdb_extension for each version of DuckDB that can LOAD it
	@$(GO) run ./internal/hostapi/trampolines -names internal/hostapi/names.txt -dir internal/hostapi
	$(GO) build -trimpath -tags=$(HOSTED) -buildmode=c-shared -o $(EXTENSION)/mallard.so \
	  -ldflags '-s -w -extldflags "-Wl,-Bsymbolic -Wl,--exclude-libs,ALL -Wl,-z,defs"' ./cmd/mallard-extension
	@$(GO) run ./internal/hostapi/footer -in $(EXTENSION)/mallard.so -out $(EXTENSION) -version $(VERSION)

# The host's versions that the extension is tried in, and those in which every .test file goes through it. Not part of `make test`.
HOSTS     := 1.5.2 1.5.3 1.5.4 1.5.5 1.5.6 2.0.0 2.0.1
HOSTS_SQL := 1.5.6 2.0.1
HOSTED_AS  = MALLARD=$(CURDIR)/bin/mallard MALLARD_EXTENSION=$(CURDIR)/$(EXTENSION) MALLARD_MODELS=$(CURDIR)/testdata/models PYTHONPATH=$(CURDIR)/python
test-extension: build extension tensorflow googlesql ## the extension in each of DuckDB's Python packages; ROUNDS (20) and HOSTILE (500) make it longer
	@for v in $(HOSTS); do python=build/hosts/$$v/bin/python; \
	  [ -x $$python ] || { $(PYTHON) -m venv build/hosts/$$v && $$python -m pip install --quiet duckdb==$$v pytz; } || exit 1; \
	  $(HOSTED_AS) $$python python/tests/test_extension.py && $(HOSTED_AS) $$python python/tests/test_remote.py || exit 1; \
	done
	@python=build/hosts/1.5.6/bin/python; $$python -m pip install --quiet duckdb-cli==1.5.6 && \
	  PATH=$(CURDIR)/build/hosts/1.5.6/bin:$$PATH $$python python/tests/page.py python sh && $(HOSTED_AS) $$python examples/hosts.py
	@build/hosts/2.0.1/bin/python python/tests/page.py python
	@for v in $(HOSTS_SQL); do \
	  $(HOSTED_AS) $(GO) test ./extension -run '^TestHostSQL$$' -host $(CURDIR)/build/hosts/$$v/bin/python -timeout 60m || exit 1; \
	done

# Not part of test-extension: dbt-core brings dependencies of its own.
test-dbt-duckdb: extension tensorflow ## examples/dbt-duckdb, with dbt-duckdb of PyPI
	@python=build/hosts/dbt/bin/python; \
	  [ -x $$python ] || { $(PYTHON) -m venv build/hosts/dbt && $$python -m pip install --quiet $(DBT_DUCKDB); } || exit 1
	@cd examples/dbt-duckdb && rm -rf target predictions.duckdb && $(HOSTED_AS) $(CURDIR)/build/hosts/dbt/bin/dbt build
DBT_DUCKDB := dbt-duckdb==1.11.1 dbt-core==1.12.0 dbt-core-experimental-parser==2.0.0a4 duckdb==1.5.6 pytz

wheel: extension ## build/wheel/mallard_duckdb-….whl, the Python package with the extension in it (glibc 2.34)
	MALLARD_EXTENSION=$(CURDIR)/$(EXTENSION) $(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir build/wheel \
	  --config-settings=--build-option=--plat-name=manylinux_2_34_x86_64 ./python

# What each stage takes on two quiet cores, in seconds with an empty build cache and with a full one, as measured and with a tenth more:
# STAGE=EMPTY/FULL. Nothing fails that takes longer. With an empty cache lint compiles all packages, and unit links their tests.
STAGES := lint=420/165 fetched=50/5 compiled=40/40 unit=660/600

test: ## everything that continuous integration runs
	@all=0 empty=0 full=0; for stage in $(STAGES); do \
	  name=$${stage%%=*} budget=$${stage#*=} begin=$$(date +%s); $(MAKE) --no-print-directory $$name || exit 1; \
	  took=$$(($$(date +%s) - begin)) all=$$((all + took)) empty=$$((empty + $${budget%/*})) full=$$((full + $${budget#*/})); \
	  echo "$$name took $$took s of $${budget%/*} with empty caches, $${budget#*/} with full ones"; \
	done; echo "all stages took $$all s of $$empty with empty caches, $$full with full ones"

fetched: tensorflow googlesql models $(GOOGLE)

compiled:
	$(GO) build -race ./...

unit: fetched ## all Go tests and .test files, with the race detector
	MALLARD_TEST_PYTHON=$(CURDIR)/$(GOOGLE)/bin/python $(GO) test -race -timeout 30m ./...

test-cpus: tensorflow models ## the engine's and the SQL tests with the kernels of other processors (TensorFlow reads these variables)
	for cpu in ONEDNN_MAX_CPU_ISA=SSE41 ONEDNN_MAX_CPU_ISA=AVX2 TF_ENABLE_ONEDNN_OPTS=0 ''; do \
	  echo "$${cpu:-none of them}"; env $$cpu $(GO) test -count=1 -timeout 30m $(CPU_TESTS) || exit 1; \
	done

# Both read what the compiler writes for the race detector, which the tests need too: nothing is compiled twice.
lint: ## gofmt, the rules of length, licences of what is linked, vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi
	@$(GO) run ./internal/lint $$(git ls-files -co --exclude-standard '*.go')
	@$(GO) run ./internal/licences ./...
	$(GO) vet -race ./...
	$(GO) run -exec "env 'GOFLAGS=-race $(GOFLAGS)'" $(STATICCHECK) ./...

# Not a part of `make test`: it asks vuln.go.dev, or the copy that GOVULNDB names, which continuous integration does not reach.
vulncheck: ## what is known to be vulnerable and is called here
	$(GO) run -exec "env 'GOFLAGS=$(GOFLAGS)'" $(VULNCHECK) ./...

bench: tensorflow googlesql ## measure Mallard, the bare C API and Python in one run of 15 minutes; BENCH=row,row takes some rows
	$(GO) run ./bench $(if $(BENCH),-only $(BENCH))

conformance: $(GOOGLE) googlesql ## Google's own Python client against the local Vertex AI, and GENERATED (20000) queries against Google's evaluator
	MALLARD_TEST_PYTHON=$(CURDIR)/$(GOOGLE)/bin/python $(GO) test -count=1 -run Python ./connectors/vertexai/vertextest
	$(GO) run ./internal/googlesql/conformance/judge -generate $(or $(GENERATED),20000) -from $(or $(FROM),1000)

# The real clients of BigQuery, which need minutes to install. STEPS names some of the steps of examples/clients/run.sh.
clients: build tensorflow googlesql $(CLIENTS)/installed ## Google's Python clients, DataFrames, dbt and others against a served database
	@data=$$(mktemp -d) && mkdir $$data/models $$data/suite && trap 'rm -rf "$$data"' EXIT && \
	  PYTHON=$(CURDIR)/$(CLIENTS)/bin/python MODELS=$(CURDIR)/testdata/models bin/mallard serve -tutorials -emulate -project test-project \
	  -bucket tf-models=$$data/models -bucket suite-data=$$data/suite -- examples/clients/run.sh $(STEPS)

$(CLIENTS)/installed: examples/clients/requirements.txt
	$(PYTHON) -m venv $(CLIENTS) && $(CLIENTS)/bin/python -m pip install --quiet --only-binary=:all: -r $< && touch $@

hostile: ## HOSTILE (100000) wrong requests of every kind to mallard serve
	$(GO) test ./internal/server -run '^TestHostile$$' -v -timeout 2h -hostile $(or $(HOSTILE),100000)

faults: fetched ## kill a process at KILLS (500) points of its work, and FAULTS (20) times as many faults of other kinds as in the tests
	$(GO) test ./extension -run '^(TestFaults|TestFullDisk|TestKilledAnywhere|TestKilledWorkers)$$' -v -timeout 2h -kills $(or $(KILLS),500) -faults $(or $(FAULTS),20)

soak: fetched ## SOAK (20m) of mixed work; what the process has, and how many answers were right, each minute
	$(GO) test ./extension -run '^TestSoak$$' -v -timeout 24h -soak $(or $(SOAK),20m)

fuzz: ## every fuzz target for FUZZTIME (10m) each
	./bench/fuzz.sh $(or $(FUZZTIME),10m)

tensorflow: ## fetch the pinned TensorFlow libraries into the user's cache folder
	@$(GO) run ./cmd/fetch tensorflow

googlesql: ## fetch the pinned analyzer of GoogleSQL into the user's cache folder; the first statement compiles it
	@$(GO) run ./cmd/fetch googlesql

models: $(MODELS)/guesslang $(MODELS)/basic-pitch ## fetch the real models of the demo and the tests

# Google's own Python client, which the tests set on the local Vertex AI.
$(GOOGLE):
	$(PYTHON) -m venv $(GOOGLE) && $(GOOGLE)/bin/python -m pip install --quiet --only-binary=:all: google-cloud-aiplatform==2.7.0 || (rm -rf $(GOOGLE); exit 1)

$(MODELS)/%:
	@$(GO) run ./cmd/fetch $* -dir $@

fixtures: build ## write the tiny models and images of testdata anew (needs Python with tensorflow-cpu 2.21.0 and Pillow)
	$(PYTHON) testdata/models/make_models.py
	$(PYTHON) testdata/images/make_images.py

clean: ## remove what was built and fetched into this folder
	rm -rf bin build
