# Perilune. `make help` lists what there is.

GO      ?= go
OUT     := out
BIN     := $(OUT)/bin
CRAFT   ?= sim/flatsat/craft.toml
FUZZTIME ?= 20s

export CGO_ENABLED := 0

UNIT := $$($(GO) list ./... | grep -v /test/vm)

# Fails with the names of files that gofmt would change, in a tree without git too.
FORMATTED = out=$$(find . -path ./$(OUT) -prune -o -name '*.go' -exec "$$($(GO) env GOROOT)/bin/gofmt" -l {} +) && \
	test -z "$$out" || { echo "gofmt would change: $$out"; exit 1; }

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: perilune
perilune: # the command line; go decides what to build again
	@$(GO) build -trimpath -o $(BIN)/perilune ./cmd/perilune

.PHONY: tools
tools: perilune # what Debian packages give
	@$(BIN)/perilune doctor --install

.PHONY: sim
sim: tools ## boot the flight image in QEMU and keep it flying (CRAFT=file)
	@$(BIN)/perilune sim --craft $(CRAFT)

.PHONY: demo
demo: tools ## fly the story (PROFILE=tm+rs|tm+concatenated|aos+ldpc|uslp+turbo|uslp+sliced; DEMO_BREAK=rs|fop|signature|guest|sdls)
	@$(BIN)/perilune sim demo $(if $(PROFILE),--profile $(PROFILE))

# The folder may have any name.
PYTHON := "$$PWD/$(OUT)/cache/venv/bin/python"

.PHONY: venv
venv: tools # outside programs in Python that tests compare with
	@sh test/venv.sh $(OUT)/cache/venv

# Always -count=1: tests build guests and the tender by programs of which go's cache of results
# knows nothing.

.PHONY: check
check: ## the quick tests, under two minutes
	@$(FORMATTED)
	@$(GO) vet ./...
	@GOARCH=arm64 $(GO) build ./...
	@$(GO) run ./test/run -count=1 -short $(UNIT)

.PHONY: test
test: perilune venv ## all that a newcomer runs, with the story in QEMU at the end
	@$(GO) build ./...
	@GOARCH=arm64 $(GO) build ./...
	@$(GO) vet ./...
	@$(BIN)/perilune doctor --install --for test
	@PERILUNE_PYTHON=$(PYTHON) $(GO) run ./test/run -count=1 -timeout 45m $(UNIT) -- -count=1 -timeout 150m -p 1 ./test/vm/...

.PHONY: lint
lint: ## static checks, for both architectures
	@$(FORMATTED)
	@$(GO) vet ./...
	@GOARCH=arm64 $(GO) vet ./...
	@GOBIN="$$PWD/$(BIN)" $(GO) install honnef.co/go/tools/cmd/staticcheck@v0.8.2
	@$(BIN)/staticcheck ./...
	@GOARCH=arm64 $(BIN)/staticcheck ./...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME each (FUZZ=REGEXP of "package Target"); goes on where it was broken off
	@FUZZTIME=$(FUZZTIME) FUZZ='$(FUZZ)' sh test/fuzz.sh

.PHONY: bench
bench: ## benchmarks, a BENCH line a figure
	@$(GO) test -run '^$$' -bench . -benchtime 200ms ./... | $(GO) run ./test/bench

.PHONY: bench-coding
bench-coding: ## frame error rates against published points; long
	@$(GO) run ./test/coding

.PHONY: bench-ccsds
bench-ccsds: ## speed of the link's codes, layers and ends, beside libfec (needs cc and libfec-dev)
	@$(GO) run ./test/benchccsds
	@$(GO) run ./test/benchcfdp

.PHONY: bench-tender
bench-tender: ## start and hold guests, rings (SOLO5_HVT=path to compare, BENCHFLAGS="-fifo" leaves out what else runs)
	@$(GO) run ./test/benchtender $(BENCHFLAGS)

.PHONY: test-interop
test-interop: perilune ## against programs that are not ours, YAMCS among them; installs them, a skip fails
	@$(BIN)/perilune doctor --install --for interop
	@$(GO) run ./test/run -no-skip -tags interop -count=1 -timeout 90m ./test/interop/...

.PHONY: test-guests
test-guests: ## run any folder of .hvt guests against their .toml (GUESTS=DIR; NEST=amd64|arm64: emulated; TENDER=PROGRAM)
	@$(GO) run ./test/guests --dir "$(GUESTS)" --nest "$(NEST)" --tender "$(TENDER)"

.PHONY: test-hostile
test-hostile: perilune ## guests that attack the tender, each defence with its control (RUN=regexp; NEST=amd64|arm64: emulated, long)
	@$(BIN)/perilune doctor --install --for test
	@$(GO) run ./test/run -count=1 -timeout 120m -run '$(RUN)' ./test/hostile $(if $(NEST),-args -nest=$(NEST))

.PHONY: test-solo5
test-solo5: perilune ## the suite of a built Solo5 tree on both tenders (SOLO5=DIR; RUN=regexp; SLOWER=n times the suite's limits; NEST=amd64|arm64: emulated)
	@$(GO) build -o $(BIN)/solo5-suite ./test/solo5
	@$(BIN)/perilune doctor --install --for solo5
	@exec $(BIN)/solo5-suite --dir "$(SOLO5)" --run '$(RUN)' --nest "$(NEST)" --slower "$(or $(SLOWER),0)"

.PHONY: golden
golden: ## make the golden vectors again from outside oracles (Python packages)
	@sh test/golden/all.sh

.PHONY: clean
clean: ## remove what was built
	@rm -rf $(OUT)
