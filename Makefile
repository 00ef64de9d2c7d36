# All project tasks, in the order a newcomer needs them; `make help` lists them. All packages share
# one scratch path, so that nothing is compiled twice: docs/decisions/0001.
#
#   V=1             tests show their output while it is written
#   FILTER=REGEX    runs only the tests whose name matches: make test-rpc FILTER=deadline
#   CONFIG=FILE     the configuration for `make serve` and `make order` (conf/rocket.xml)
#   PREFIX=FOLDER   where `make install` puts files (/usr/local), below DESTDIR
#   SEEDS=N         how many seeds of each scenario `make simulate` runs (1000), from FIRST on (1)
#   SCENARIO=NAME   the only scenario that it runs (all)
#   FUZZ_SECONDS=N  how long `make fuzz` runs each target, in seconds (30)

SHELL := /bin/bash
.DEFAULT_GOAL := help
# SwiftPM locks its scratch path and uses all cores itself, so `make -j` must not start it twice.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

export SCRATCH_PATH ?= $(CURDIR)/.build
export FILTER V PREFIX DESTDIR SYSCONFDIR
CONFIG ?= conf/rocket.xml
FUZZ_SECONDS ?= 30
SEEDS ?= 1000
FIRST ?= 1
PRICE ?= 100
GOODS ?= apple

LAYERS := Packages/RocketBase Packages/RocketReactor Packages/RocketTCP Packages/RocketDNS Packages/RocketCodec \
	Packages/RocketTLS Packages/RocketCompression Packages/RocketHTTP2 Packages/RocketBalancing Packages/RocketDynamic \
	Packages/RocketNATS Packages/RocketRPC Packages/RocketRPCJWT Packages/RocketGRPC Packages/RocketNames Packages/RocketAdmin Packages/RocketOTLP \
	Packages/RocketSimulation Packages/RocketProgram Packages/RocketGenerator
E2E := $(patsubst %/,%,$(dir $(wildcard $(foreach name,EndToEnd Interop GRPC Names Backplane Orders Migration ClusterDemo \
	Admin Tool Generator Regression,Tests/$(name)/Package.swift Tests/$(name)/run.sh))))
SANITIZED := Packages/RocketReactor Packages/RocketTCP Packages/RocketDNS Packages/RocketTLS Packages/RocketNATS Packages/RocketRPC Packages/RocketGRPC Packages/RocketAdmin \
	'Apps:ChatServerKitTests|ChatClientKitTests'
# Tests of all orders of events on one loop, which take 40 % of the processor time of RocketRPC's.
ONE_LOOP := InterleavingTests
# Functions of bytes, which no threads share.
SINGLE_THREADED := Packages/RocketCodec Packages/RocketCompression Packages/RocketHTTP2 Packages/RocketBalancing Packages/RocketDynamic
CHECKS := selftest layers api settings safety determinism planted links docs units format generated

.PHONY: simulate test-simulation help deps deps-cluster all run cluster-demo serve order test test-base test-reactor test-tcp test-dns test-codec test-tls test-compression test-http2 test-balancing test-dynamic test-nats test-rpc test-grpc test-names test-admin test-otlp test-jwt \
	test-generator test-examples test-apps docs test-e2e interop test-systemd test-cluster test-fallback test-tsan test-asan check format \
	soak-tls bench-tls bench-grpc generate fuzz attack install uninstall deb bench-log bench-reactor bench-rpc bench-orders bench-orders-postgres bench-backpressure bench-chat bench-backplane \
	bench check-perf clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install missing packages, check Swift, fetch dependencies (most targets run it first)
	@scripts/deps
	@scripts/resolve

deps-cluster: ## install the engines of tests on many machines: NATS, etcd, PostgreSQL, dnsmasq
	@scripts/deps --cluster

# With BUILT=1 bin/ is used as it is: .ci/run tests in two lanes, of which one builds it.
all: deps ## build all programs in release mode into bin/
	@[ -n "$(BUILT)" ] || scripts/build-apps

run: all ## demo: start order_server, create an order, read it back, stop the server
	@scripts/run-demo

cluster-demo: all ## demo: two clusters on this machine, and what happens when parts fail (ORDERS=1 or CHAT=1: one)
	@scripts/cluster-demo $(if $(ORDERS),orders) $(if $(CHAT),chat)

serve: all ## run order_server in the foreground until Ctrl-C
	@exec bin/order_server $(CONFIG)

order: all ## create an order on the server of `make serve` (PRICE=100 GOODS=apple)
	@bin/order_client make --config $(CONFIG) --price $(PRICE) --goods $(GOODS)

test: all ## test all packages and programs, lowest layer first
	@scripts/etcd-protos || true
	@scripts/run-tests $(LAYERS) Examples Apps $(E2E)

test-base: deps ## test RocketBase: bytes, configuration, log, system calls
	@scripts/run-tests Packages/RocketBase

test-reactor: deps ## test RocketReactor: event loop, timers, threads
	@scripts/run-tests Packages/RocketReactor

test-tcp: deps ## test RocketTCP: addresses, connections, server, client
	@scripts/run-tests Packages/RocketTCP

test-dns: deps ## test RocketDNS: lookups, time limits, malformed answers
	@scripts/run-tests Packages/RocketDNS

test-codec: deps ## test RocketCodec: decoding and encoding of frames
	@scripts/run-tests Packages/RocketCodec

test-tls: deps ## test RocketTLS: certificates, handshakes, records
	@scripts/run-tests Packages/RocketTLS

test-compression: deps ## test RocketCompression: gzip, deflate, zstd with limits
	@scripts/run-tests Packages/RocketCompression

test-http2: deps ## test RocketHTTP2: sessions, limits, malformed frames
	@scripts/run-tests Packages/RocketHTTP2

test-balancing: deps ## test RocketBalancing: choice of endpoints, ejection, overload
	@scripts/run-tests Packages/RocketBalancing

test-dynamic: deps ## test RocketDynamic: schemas, JSON, damaged descriptors and messages
	@scripts/run-tests Packages/RocketDynamic

test-nats: deps ## test RocketNATS: codec, client (with nats-server, if it is there)
	@scripts/run-tests Packages/RocketNATS

test-rpc: deps ## test RocketRPC: dispatcher, server, channel
	@scripts/run-tests Packages/RocketRPC

test-grpc: deps ## test RocketGRPC: gRPC on servers and channels
	@scripts/run-tests Packages/RocketGRPC

test-names: deps ## test RocketNames: file and etcd names, registration (with etcd, if it is there)
	@scripts/run-tests Packages/RocketNames

test-admin: deps ## test RocketAdmin: the page, metrics, its listener
	@scripts/run-tests Packages/RocketAdmin

test-otlp: deps ## test RocketOTLP: spans, their queue, their export to a collector
	@scripts/run-tests Packages/RocketOTLP

test-jwt: deps ## test RocketRPCJWT: JSON Web Tokens of callers
	@scripts/run-tests Packages/RocketRPCJWT

test-simulation: deps ## test RocketSimulation: worlds from fixed seeds, each run twice
	@scripts/run-tests Packages/RocketSimulation

simulate: deps ## run worlds with faults and check their rules (SEEDS=1000 FIRST=1 SCENARIO=)
	@swift run -c release --disable-build-manifest-caching --package-path Tests/Simulation \
		--scratch-path $(SCRATCH_PATH) --quiet rocket_simulate --seeds $(SEEDS) --first $(FIRST) \
		$(addprefix --scenario ,$(SCENARIO)) \
		--commit "$$(git describe --always --dirty 2>/dev/null)"

test-generator: deps ## test RocketGenerator: protoc plugin, project generator
	@scripts/run-tests Packages/RocketGenerator

test-examples: deps ## test Examples: the programs of the articles
	@scripts/run-tests Examples

test-apps: deps ## test Apps: order store, chat, servers, clients
	@scripts/run-tests Apps

test-e2e: all ## test the programs in bin/: end to end, interoperability, regressions
	@scripts/etcd-protos || true
	@scripts/run-tests $(E2E)

interop: deps ## test gRPC with grpcio, libgrpc++, nghttp2 and etcd; write the table in docs/grpc.md
	@Tests/GRPC/run.sh --all

test-systemd: all ## test order_server under a real systemd, in namespaces (needs root)
	@Tests/Systemd/run.sh || [ $$? = 77 ]

test-cluster: all deps-cluster ## clusters in network namespaces: orders behind etcd and DNS, PostgreSQL, a chat on NATS, and their faults (needs root)
	@Tests/Cluster/run.sh

test-fallback: deps ## test RocketRPC without private functions of Swift's runtime
	@scripts/run-tests --public-runtime Packages/RocketRPC

test-tsan: deps ## test reactor, TCP, DNS, TLS, RPC and chat under the thread sanitizer
	@SKIP='$(ONE_LOOP)' scripts/run-tests --sanitize=thread $(SANITIZED)

test-asan: deps ## test the same, codec, compression and HTTP/2 under the address sanitizer
	@scripts/run-tests --sanitize=address $(SINGLE_THREADED) $(SANITIZED)

check: deps ## check layers, public types, settings, reasons, determinism, links, format, generated files
	@scripts/check $(CHECKS)

format: deps ## format all hand-written Swift files with .swift-format
	@scripts/check-format --fix

generate: deps ## generate code from .proto files, and the configuration's documents
	@scripts/generate.sh

docs: deps ## build the articles and the reference of the libraries as a site in .build/docs
	@scripts/build-docs

install: all ## install programs, units, configuration, manuals, completions (PREFIX, DESTDIR)
	@scripts/install

uninstall: ## remove what `make install` installed; keep orders and changed configuration
	@scripts/install --uninstall

deb: all ## build Debian packages in .build/deb and check them with lintian, and their size
	@scripts/deps --packaging
	@scripts/check-size
	@scripts/build-deb

fuzz: deps ## fuzz each target for FUZZ_SECONDS, starting from its corpus
	@scripts/run-fuzz $(FUZZ_SECONDS)

attack: all ## attack order_server from outside for two minutes, and check what it harms (ATTACK="--seed 7")
	@python3 Tests/Attack/attack.py bin/order_server $(ATTACK)

soak-tls: all ## renew certificates and restart order_server under load with mutual TLS (1 min)
	@SWIFT_DETERMINISTIC_HASHING=1 swift build -c release --disable-build-manifest-caching --quiet \
		--package-path Tests/Systemd --scratch-path $(SCRATCH_PATH) --product order_load
	@python3 -B Tests/Interop/soak.py $(SCRATCH_PATH)/release/order_load

bench-log: deps ## benchmark the logger against spdlog
	@Tests/Benchmarks/log/run.sh

bench-reactor: deps ## benchmark the byte layers against plain C on epoll
	@Tests/Benchmarks/reactor/run.sh

bench-rpc: all ## benchmark calls against C and C++ servers of the same wire (5 min; QUICK=1: 1 min)
	@PEERS=0 PART=closed,client,counts QUICK="$(QUICK)" Tests/Benchmarks/bench/run.sh

bench-orders: all ## benchmark durable orders against SQLite in a plain C loop
	@Tests/Benchmarks/orders/run.sh

bench-orders-postgres: all ## benchmark orders on PostgreSQL against pgbench with the same statement
	@Tests/Benchmarks/orders/postgres.sh

bench: all ## benchmark calls against C, C++, gRPC, Cap'n Proto, Thrift (10 min; QUICK=1: 2 min)
	@PART="$(PART)" QUICK="$(QUICK)" PUBLISH="$(PUBLISH)" Tests/Benchmarks/bench/run.sh

check-perf: all ## count instructions, allocations and system calls per call; fail if one rises
	@scripts/check-perf $(if $(UPDATE),--update)

bench-backpressure: all ## measure a peer that reads 1,024 replies of 1 MiB at 10 MB/s (6 min)
	@python3 Tests/Benchmarks/backpressure/slow_reader.py bin/rocket_bench_server --judge

bench-tls: all ## measure what TLS costs, beside gRPC C++ and OpenSSL alone (4 min; QUICK=1: 1 min)
	@PART="$(PART)" QUICK="$(QUICK)" Tests/Benchmarks/tls/run.sh

bench-grpc: all ## measure gRPC and streams beside gRPC C++ and grpcio (8 min; QUICK=1: 2 min)
	@PART="$(PART)" QUICK="$(QUICK)" Tests/Benchmarks/grpc/run.sh

bench-chat: all ## benchmark the chat's fan-out against a chat server on libevent (2 min)
	@Tests/Benchmarks/chat/run.sh

bench-backplane: all ## benchmark messages of other servers, by NATS, to 1,000 members, beside libnats (2 min)
	@Tests/Benchmarks/backplane/run.sh

clean: ## remove all build output
	rm -rf .build .build-* bin
