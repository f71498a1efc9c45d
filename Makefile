# Needs Go, Node with npm, make and git; whatever else a target uses, it fetches or builds into this folder.
SHELL := bash
.DEFAULT_GOAL := help

BIN     := $(CURDIR)/.bin
BUF     := node_modules/.bin/buf
WEB     := services/waba-onboarding/web
PAGES   := $(WEB)/dist/index.html
MODULES := gen services $(sort $(patsubst %/go.mod,%,$(wildcard tools/*/go.mod)))

# The race detector needs cgo and a C compiler.
RACE = $(shell [ "$$(go env CGO_ENABLED)" = 1 ] && command -v $$(go env CC) >/dev/null && echo -race)

# What `make test` runs: every package of every module of go.work, or for example "-run Claim ./services/…".
ARGS ?= work
FUZZTIME ?= 10s

.PHONY: help run web build test lint fmt gen verify fuzz bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Run everything on this machine, Meta simulated, state kept in data/
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory web; else echo "make run: without the pages, which need Node with npm" >&2; fi
	@go build -o .bin/devstack ./services/devstack
	@exec .bin/devstack

web: $(PAGES) ## Build the pages, which the programs embed

build: ## Build every program into .bin/
	go build -o .bin/ ./services/...

test: ## Run all tests, on SQLite and PostgreSQL; ARGS="-run X ./services/..." narrows
	@if [ "$(ARGS)" = work ]; then $(MAKE) --no-print-directory test-web; fi
	@[ -n "$(RACE)" ] || echo "make test: without the race detector, which needs a C compiler" >&2
	@go build -o .bin/testenv ./services/internal/testenv
# One package at a time: several start whole processes and databases, and would take each other's deadlines.
	@exec .bin/testenv go test -p 1 -timeout 30m $(RACE) $(ARGS)

# The pages have tests of their own; those that ARGS narrows are Go's.
.PHONY: test-web
test-web: web
	npm test --workspace $(WEB)/kit --workspace $(WEB)/dashboard --workspace $(WEB)/browser

lint: .bin/golangci-lint $(BUF) .proto-deps ## Lint Go, proto and TypeScript; the first run builds the linter, which takes minutes
	.bin/golangci-lint config verify
	.bin/golangci-lint run ./gen/... ./services/...
	$(BUF) lint
	npm run check --workspace $(WEB)/kit --workspace $(WEB)/dashboard

fmt: .bin/golangci-lint ## Format Go as lint wants it
	.bin/golangci-lint fmt ./gen/... ./services/...

gen: $(BUF) .bin/protoc-gen-go .proto-deps ## Regenerate gen/ from proto/, and the pages' client from gen/
# Into a folder of its own first: a proto file that does not compile leaves the last good code in place.
	rm -rf .gen && $(BUF) generate --output .gen
	rm -rf gen/whatrack && mv .gen/gen/whatrack gen/ && mv .gen/gen/openapi/*.json gen/openapi/ && rm -rf .gen
	npm run generate --workspace $(WEB)/dashboard

verify: gen ## Fail when generated code or a go.mod is not what it should be
	@for m in $(MODULES); do (cd $$m && GOWORK=off go mod tidy) || exit; done
	git --no-pager diff --exit-code -- gen '*go.mod' '*go.sum' '*generated*' '*.gen.ts'
	@new=$$(git ls-files --others --exclude-standard gen '*go.sum' '*generated*'); [ -z "$$new" ] || { echo "not committed: $$new"; exit 1; }
	@! git grep -n '"resolved": "http' -- '*package-lock.json' || { echo "a lockfile names a registry: see .npmrc"; exit 1; }

fuzz: ## Run each fuzz target for FUZZTIME
	@grep -rlE '^func Fuzz' --include='*_test.go' services | while read -r file; do \
	  for target in $$(grep -oE '^func Fuzz\w+' "$$file" | cut -c6-); do \
	    echo "== $$file $$target"; \
	    go test -run='^$$' -fuzz="^$$target$$" -fuzztime=$(FUZZTIME) "./$$(dirname "$$file")" || exit; \
	  done; \
	done

bench: ## Print our figures beside their baselines
	@go build -o .bin/testenv ./services/internal/testenv
	@exec .bin/testenv -durable go run ./services/bench

clean: ## Remove what was built or fetched; data/ stays
	rm -rf .bin .gen .proto-deps node_modules $(WEB)/*/node_modules $(WEB)/kit/examples/*/{node_modules,.next}

# Only when something changed that they are made of.
$(PAGES): $(BUF) package-lock.json $(shell find $(WEB)/kit $(WEB)/dashboard -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/test/*' -not -path '*/.tests/*')
	npm run build --workspace $(WEB)/kit
	npm run build --workspace $(WEB)/dashboard
	@touch $@

# npm writes its own lockfile last, so it is there and new only after an install that went well.
$(BUF): node_modules/.package-lock.json
node_modules/.package-lock.json: package.json package-lock.json $(wildcard $(WEB)/*/package.json)
	npm ci --ignore-scripts --no-audit --no-fund

# All four plugins at once. Plugins and runtime have one version, gen's.
.bin/protoc-gen-go: gen/go.mod
	GOWORK=off GOBIN=$(BIN) go -C gen install tool
	@touch $@

.proto-deps: gen/go.mod tools/protodeps/go.mod tools/protodeps/main.go
	GOWORK=off go -C tools/protodeps run . $(CURDIR)/$@

.bin/golangci-lint: tools/lint/go.mod
	GOWORK=off go -C tools/lint build -o $(BIN)/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@
