# `make test` does all that a fresh Debian machine with Go needs; `make help`
# lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
TOOL := go tool -modfile=.ci/tools/go.mod
# SQLite is C turned into Go and keeps its memory outside of Go's heap, where the
# race detector sees nothing: looking there doubles the tests' time for nothing.
ENGINE := -gcflags='modernc.org/sqlite/lib=-race=false -d=checkptr=0'
LARGE := 1000000
COUNT := 6
BENCH := go test -run - -bench Product -benchtime 1x -timeout 3h . -args -bench-write docs/benchmarks.md

.DEFAULT_GOAL := help
.PHONY: help build run demo test torture bench bench-large bench-functions screens looks deps vet lint format fresh generate fmt clean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

build: ## build the one binary, ./belfry
	go build -o belfry .

run: ## serve on 127.0.0.1:8080 with data in ./data
	go run .

demo: ## serve a living sample with throw-away data
	go run . demo

test: deps vet lint format fresh ## check everything, as CI does
	go test -race -timeout 40m $(ENGINE) ./...

torture: deps ## run the tests of the worst day in their long form
	go test -v -timeout 2h -run WorstDay . -args -torture

bench: ## measure the whole program and write docs/benchmarks.md (15 minutes)
	$(BENCH)

bench-large: ## the same, beside and after LARGE=1000000 deliveries (20 minutes)
	$(BENCH) -bench-large $(LARGE)

bench-functions: ## measure hot functions, in a form that benchstat reads
	go test -run - -bench . -count $(COUNT) ./store ./worker ./worker/signature

screens: deps ## take the pictures of docs/screens, pages and their states, anew
	@rm -rf docs/screens
	go test -count=1 -timeout 15m -run TestScreens . -args -screens docs/screens

looks: deps ## hold all screens against every look, and walk them by keyboard alone
	go test -count=1 -timeout 15m -run TestScreens . -args -looks

deps: ## install what the tests need and this machine has not
	@.ci/deps

vet:
	go vet ./...

lint:
	$(TOOL) staticcheck ./...

format:
	@.ci/format

fresh: ## check that generated and vendored files are up to date
	@.ci/fresh

generate: ## make the Go code of the templates anew
	go tool templ generate -include-version=false

fmt: ## format the Go code and the templates
	@.ci/format --write
	go tool templ fmt .

clean: ## remove what was built and shot
	rm -rf belfry screenshots
