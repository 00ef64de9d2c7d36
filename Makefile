# Every task of the house has a target; `make help` lists them in the order in which one meets
# them. All packages share one scratch path, so nothing is compiled twice; see
# docs/decisions/0001-packages-in-one-scratch-path.md.
#
#   V=1             tests show everything as it happens
#   FILTER=REGEX    only the tests whose name matches: make test-rpc FILTER=deadline
#   CONFIG=FILE     the configuration for `make serve` and `make order`
#   PREFIX=FOLDER   where `make install` puts things (/usr/local), below DESTDIR
#   FUZZ_SECONDS=N  how long `make fuzz` runs each target (30)

SHELL := /bin/bash
.DEFAULT_GOAL := help
# SwiftPM locks its scratch path and uses every core by itself: `make -j` must not start two.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

export SCRATCH_PATH ?= $(CURDIR)/.build
export FILTER V PREFIX DESTDIR SYSCONFDIR
CONFIG ?= conf/rocket.xml
FUZZ_SECONDS ?= 30
PRICE ?= 100
GOODS ?= apple

LAYERS := Packages/RocketBase Packages/RocketReactor Packages/RocketTCP Packages/RocketCodec \
	Packages/RocketRPC Packages/RocketProgram Packages/RocketGenerator
E2E := $(patsubst %/,%,$(dir $(wildcard $(addsuffix /Package.swift,Tests/EndToEnd Tests/Interop Tests/Generator Tests/Regression) \
	$(addsuffix /run.sh,Tests/EndToEnd Tests/Interop Tests/Generator Tests/Regression))))
CHECKS := selftest layers api settings safety links readme units format generated

.PHONY: help deps all run serve order test test-base test-reactor test-tcp test-codec test-rpc \
	test-generator test-apps test-e2e test-systemd test-tsan test-asan check format generate fuzz install \
	uninstall deb bench-log bench-reactor bench-rpc \
	bench-orders bench-chat bench check-perf clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install what is missing, check Swift, fetch dependencies (every target does it first)
	@scripts/deps
	@scripts/resolve

all: deps ## build every app, release, into bin/
	@scripts/build-apps

run: all ## start order_server, make an order over the wire, read it back, stop; ends by itself
	@scripts/run-demo

serve: all ## keep order_server in the foreground until Ctrl-C
	@exec bin/order_server $(CONFIG)

order: all ## make one order on the server of `make serve` (PRICE=100 GOODS=apple)
	@bin/order_client make --config $(CONFIG) --price $(PRICE) --goods $(GOODS)

test: all ## test everything, bottom layer first
	@scripts/run-tests $(LAYERS) Apps $(E2E)

test-base: deps ## test RocketBase: bytes, configuration, log, system calls
	@scripts/run-tests Packages/RocketBase

test-reactor: deps ## test RocketReactor: event loop, timers, threads
	@scripts/run-tests Packages/RocketReactor

test-tcp: deps ## test RocketTCP: addresses, connections, server and client
	@scripts/run-tests Packages/RocketTCP

test-codec: deps ## test RocketCodec: bytes in, frames out
	@scripts/run-tests Packages/RocketCodec

test-rpc: deps ## test RocketRPC: dispatch, server, channel
	@scripts/run-tests Packages/RocketRPC

test-generator: deps ## test RocketGenerator: protoc's plugin, projects from .proto files
	@scripts/run-tests Packages/RocketGenerator

test-apps: deps ## test Apps: order store, server and client logic
	@scripts/run-tests Apps

test-e2e: all ## test across layers with the binaries of bin/: end to end, interop, regression
	@scripts/run-tests $(E2E)

test-systemd: all ## test order_server as a service of a real systemd, in namespaces (needs root)
	@Tests/Systemd/run.sh || [ $$? = 77 ]

test-tsan: deps ## test all layers and the chat under the thread sanitizer (a scratch path of its own)
	@scripts/run-tests --sanitize=thread $(LAYERS)
	@FILTER="$(or $(FILTER),ChatServerKitTests|ChatClientKitTests|BenchKitTests)" \
		scripts/run-tests --sanitize=thread Apps

test-asan: deps ## test all layers under the address sanitizer (a scratch path of its own)
	@scripts/run-tests --sanitize=address $(LAYERS)

check: deps ## layer directions, settings, SAFETY reasons, links, format, generated files current
	@scripts/check $(CHECKS)

format: deps ## rewrite the hand-written Swift files as /.swift-format wants them
	@scripts/check-format --fix

generate: deps ## renew what is generated: code from .proto files, configuration documents
	@scripts/generate.sh

install: all ## install programs, units, configuration, manuals (PREFIX=/usr/local, DESTDIR)
	@scripts/install

uninstall: ## take away what `make install` put there; orders and changed configuration stay
	@scripts/install --uninstall

deb: all ## make a Debian package of the programs in .build/deb, checked by lintian
	@scripts/deps --packaging
	@scripts/build-deb

fuzz: deps ## fuzz every target for FUZZ_SECONDS each, starting from its corpus
	@scripts/run-fuzz $(FUZZ_SECONDS)

bench-log: deps ## measure the logger beside spdlog
	@Tests/Benchmarks/log/run.sh

bench-reactor: deps ## measure the byte layers beside plain C epoll
	@Tests/Benchmarks/reactor/run.sh

bench-rpc: all ## measure calls beside plain C and C++ servers of the same wire (5 min; QUICK=1: 1)
	@PEERS=0 PART=closed,client,counts QUICK="$(QUICK)" Tests/Benchmarks/bench/run.sh

bench-orders: all ## measure durable orders a second beside SQLite in a plain C loop
	@Tests/Benchmarks/orders/run.sh

bench: all ## measure calls beside C, C++, gRPC, Cap'n Proto, Thrift (10 min; QUICK=1: 2; PART=closed)
	@PART="$(PART)" QUICK="$(QUICK)" PUBLISH="$(PUBLISH)" Tests/Benchmarks/bench/run.sh

check-perf: all ## count instructions, allocations and system calls per call; a rise fails
	@scripts/check-perf $(if $(UPDATE),--update)

bench-chat: all ## measure the chat's fan-out beside a chat server on libevent (two minutes)
	@Tests/Benchmarks/chat/run.sh

clean: ## remove everything that was built
	rm -rf .build .build-* bin
