# Three commands matter: `make dev` (dev/start), `make check` and `make test` (dev/check).

export CGO_ENABLED = 0
CHECK = go -C dev run ./check

.DEFAULT_GOAL := help
.PHONY: help dev check test setup build lint race fuzz abuse chaos bench types visual screenshots histories

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: ## Run the whole system on this machine: API :8080, Temporal UI :8233, mailbox :8025
	@go -C dev run ./start

check: ## Run golangci-lint and the short tests of the product, in about a minute
	@$(CHECK) check

test: ## Run every check and every test, and say what was not run
	@$(CHECK) test

setup: ## Install what the tests need (root on Debian), or say what to install
	@$(CHECK) setup

build: ## Build the product's binary into bin/
	go build -trimpath -o bin/ ./cmd/okviz

lint: ## Run golangci-lint, go mod tidy -diff, workflowcheck, actionlint, the Windows builds, TypeScript and ESLint on the pages, and the API's description
	@$(CHECK) lint

race: ## Run the tests of what runs side by side under the race detector (needs a C compiler)
	@$(CHECK) race

fuzz: ## Run every fuzz test for ten seconds
	@$(CHECK) fuzz

abuse: ## Send 24,000 malformed requests to every route: no 5xx, none over 5 seconds (ABUSE_SEED chooses others)
	(ulimit -v 8000000 2>/dev/null; go test ./api -run '^TestGeneratedBadInput' -count=1 -timeout 15m -v -abuse 24000 -abuse.seed $(or $(ABUSE_SEED),1))

chaos: ## Do 1,000 faults to two api, two worker, MySQL, Temporal and SMTP while customers buy (CHAOS_SEED repeats them)
	go -C dev test ./chaos -count=1 -timeout 45m -v -faults 1000 -seed $(or $(CHAOS_SEED),0)

bench: ## Measure the product beside its bare counterparts, in minutes (ROWS=Purchase chooses: docs/performance.md)
	go -C dev test ./bench -run '^$$' -bench '$(or $(ROWS),.)' -benchtime 1x -timeout 30m

types: ## Write docs/openapi.json and the clients anew after a change of the API (needs Node 20.19 or newer)
	npm --prefix web ci --no-audit --no-fund
	go test ./api -run '^TestTheClientsAreMadeOfThisAPI$$' -count=1 -write

visual: ## Rebuild the demonstration packages (needs Node 20.19 or newer)
	node visual/build.mjs

screenshots: ## Write screenshots of every page, 390 and 1280 pixels wide, to bin/screenshots/ (needs Chromium and npm)
	go -C dev test ./pages -run '^TestEveryPage' -count=1 -shots "$(CURDIR)/bin/screenshots"

histories: ## Record the workflow histories anew that the replay tests use
	go -C dev test ./e2e -run '^TestRecordedLives$$' -count=1 -record
