# `make test` does all that a fresh Debian machine with Go needs; `make help`
# lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
TOOL := go tool -modfile=.ci/tools/go.mod

.DEFAULT_GOAL := help
.PHONY: help build run demo test torture bench deps vet lint format fresh generate fmt clean

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

build: ## build the one binary, ./belfry
	go build -o belfry .

run: ## serve on 127.0.0.1:8080 with data in ./data
	go run .

demo: ## serve a living sample with throw-away data
	go run . demo

test: deps vet lint format fresh ## check everything, as CI does
	go test -race ./...

torture: deps ## run the tests of the worst day in their long form
	go test -v -timeout 30m -run WorstDay . -args -torture

bench: ## measure publish, POST and record against bare signed POSTs
	go test -run - -bench Pipeline -benchtime 20000x ./worker

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
