#!/usr/bin/env bash
# Builds, tests, starts, calls and stops projects written by rocket_generator, each in an empty
# folder: for the order.proto of the original, one with underscores and no package, one with a
# package, imports, two services, nested and well-known messages and keywords as names, one with
# streams, two files with names of libraries and modules, and real files of other projects: gRPC's own
# and etcd's, from Debian's packages.
#
#   Tests/Generator/run.sh      called by `make test-e2e`
#
#   SCRATCH_PATH   SwiftPM's build folder, shared, so that Rocket is compiled once
#   ROCKET_BIN     the folder of the programs (default: bin/)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export SCRATCH_PATH=${SCRATCH_PATH:-$root/.build}
# Variables that the calling Makefile exports must not reach the Makefiles of the projects.
unset PREFIX DESTDIR SYSCONFDIR FILTER V MAKEFLAGS MFLAGS MAKELEVEL
bin=${ROCKET_BIN:-$root/bin}
work=$SCRATCH_PATH/generated
current=
count=0
rm -rf "$work"
mkdir -p "$work"

stop_server() { [ -z "$current" ] || "$work/$current/bin/shutdown.sh" >/dev/null 2>&1 || true; }
trap stop_server EXIT

fail() {
    echo "FAILED: $current: $1"
    exit 1
}

ok() {
    count=$((count + 1))
    echo "passed: $current: $1"
}

generate() { # NAME ARGUMENT…
    current=$1
    shift
    "$bin/rocket_generator" -o "$work" --rocket "$root" "$@" || fail "rocket_generator failed"
    cd "$work/$current"
    swift format lint --strict --parallel --recursive --configuration "$root/.swift-format" . ||
        fail "swift-format reports problems"
    ok "is generated, and swift-format reports no problem"
    resolve
}

# Resolves in a scratch path of its own: at the first resolution of a package SwiftPM removes the
# checkouts that this package does not need (docs/decisions/0001).
resolve() {
    if [ ! -f "$work/Package.resolved" ]; then
        swift package --scratch-path "$work/resolve" resolve || fail "can't be resolved"
        cp Package.resolved "$work/Package.resolved" || true
    else
        cp "$work/Package.resolved" .
    fi
}

build() {
    local begin=$SECONDS built
    make || fail "make failed"
    built=$((SECONDS - begin))
    make test || fail "make test failed"
    ok "is built in $built s, and its tests pass in another $((SECONDS - begin - built)) s"
}

start() {
    # The kernel chooses the port.
    ROCKET_SERVER_PORT=0 bin/run.sh || fail "bin/run.sh failed"
    port=$(sed -n 's/.* is ready, listening on .*:\([0-9]*\)$/\1/p' "log/$current.out")
    [ -n "$port" ] || fail "the server prints no address"
    ! ROCKET_SERVER_PORT=0 bin/run.sh 2>/dev/null || fail "bin/run.sh started a second server"
    ok "is started"
}

# The health command: it serves, it has no such service.
health() {
    local status=0
    "bin/$current" health --to "127.0.0.1:$port" --json | grep -q '"state":"serving"' ||
        fail "bin/$current health does not report a server that serves"
    "bin/$current" health Nothing --to "127.0.0.1:$port" 2>/dev/null || status=$?
    [ "$status" = 66 ] || fail "bin/$current health has the status $status for an unknown service"
    ok "reports its health"
}

call() { # SERVICE METHOD JSON EXPECTED
    local reply name="test_$1_client $2 $3"
    reply=$("bin/test_$1_client" "$2" 127.0.0.1 "$port" "$3") || fail "$name failed"
    [ "$reply" = "$4" ] || fail "$name printed $reply instead of $4"
    ok "$name prints $reply"
}

# refuses SERVICE METHOD JSON TEXT: the call fails with one line that contains the text.
refuses() {
    local output name="test_$1_client $2 $3"
    ! output=$("bin/test_$1_client" "$2" 127.0.0.1 "$port" "$3" 2>&1) || fail "$name passed"
    [[ "$output" == *"$4"* ]] || fail "$name printed $output, not $4"
    ok "$name is refused: $output"
}

# streams SERVICE METHOD INPUT EXPECTED: the call with these lines of standard input prints these lines.
streams() {
    local replies name="test_$1_client $2"
    replies=$(printf '%b' "$3" | "bin/test_$1_client" "$2" 127.0.0.1 "$port") || fail "$name failed"
    [ "$replies" = "$(printf '%b' "$4")" ] || fail "$name printed $replies instead of $4"
    ok "$name prints ${replies//$'\n'/ }"
}

finish() {
    local pid
    pid=$(cat "log/$current.pid")
    bin/shutdown.sh | grep -q 'has drained' || fail "bin/shutdown.sh failed"
    [ ! -e "/proc/$pid/exe" ] || fail "the server is still running"
    bin/shutdown.sh 2>/dev/null || fail "bin/shutdown.sh fails when no server runs"
    ok "is stopped"
}

# The SwiftPM plugin; SwiftPM builds the generator and protoc-gen-swift for it once.
generate_rocket() {
    SWIFT_DETERMINISTIC_HASHING=1 swift package --scratch-path "$SCRATCH_PATH" \
        --allow-writing-to-package-directory \
        generate-rocket
}

logic() { # FILE STATEMENT…: replaces the comment in run()
    local file=$1
    shift
    printf '        %s\n' "$@" >"$work/logic"
    sed -i -e "/^        \/\/ Your logic/{r $work/logic" -e 'd}' "$file"
}

generate order -i "$here/protos/order.proto"
logic Sources/Order/interface/MakeOrder.swift \
    'guard request.price >= 10 else { throw BusinessException(-1, "short balance") }' \
    'response.resInfo = "OK"' 'response.orderID = "\(request.goods)-\(request.price)"'
sed -i 's|#expect(response.retCode == 0)|#expect(response.retCode == -1)|' \
    Tests/OrderTests/MakeOrderTests.swift
build
start
call order makeOrder '{"price": 100, "goods": "apple"}' \
    '{"res_info":"OK","order_id":"apple-100"}'
health
call order makeOrder '{"price": 1}' '{"ret_code":-1,"res_info":"short balance"}'
refuses order makeOrder '{"cost": 1}' 'is no makeOrderRequest'
finish
install_to() { # TARGET
    make "$1" BUILD=debug SWIFT_FLAGS= BACKOFF=yes DESTDIR="$PWD/installed" PREFIX=/opt/order \
        >/dev/null || fail "make $1 failed"
}
install_to install
units=installed/opt/order/lib/systemd/system
grep -q '^ExecStart=/opt/order/bin/order /etc/order/rocket.xml' "$units/order.service" ||
    fail "the unit does not start the program"
[ -x installed/opt/order/bin/order ] && [ -f installed/etc/order/rocket.xml ] &&
    grep -q '^RestartSteps=' "$units/order.service.d/backoff.conf" ||
    fail "make install has omitted a file"
if command -v systemd-analyze >/dev/null; then
    # For systemd-analyze, the program is where it is now.
    mkdir "$work/units"
    for unit in order.service order.socket; do
        sed "s|/opt/order/bin/|$PWD/bin/|" "$units/$unit" >"$work/units/$unit"
    done
    verified=$(cd "$work/units" &&
        systemd-analyze verify --man=no ./order.service ./order.socket 2>&1 |
        grep -E 'order\.(service|socket)') && fail "systemd-analyze: $verified"
    (cd "$work/units" &&
        systemd-analyze security --no-pager --offline=true --threshold=10 ./order.service \
            >/dev/null 2>&1) || fail "systemd-analyze security: an exposure above 1.0"
fi
install_to uninstall
[ "$(find installed -type f)" = installed/etc/order/rocket.xml ] ||
    fail "make uninstall keeps $(find installed -type f)"
ok "is installed and removed, with a sandboxed unit"
"$bin/rocket_generator" -i Protos/order.proto -o .. --rocket "$root" |
    grep -q ': nothing to write$' || fail "a second run writes files"
ok "is not written by a second run"

# Renames the method in the .proto file and adds another one.
sed -i 's|rpc makeOrder\(.*\)|rpc placeOrder\1\n  rpc findOrder\1|' Protos/order.proto
find . -type f ! -path './Sources/Order/pb/*' ! -path './Sources/Order/service/*' \
    ! -path './bin/*' ! -path './installed/*' ! -path './test_client/*' ! -name Package.swift ! -name Package.resolved \
    -exec sha256sum {} + >"$work/user-files"
! PROTOC=/nowhere/protoc generate_rocket >"$work/output" 2>&1 ||
    fail "generate-rocket passed without protoc"
grep -q 'apt-get install protobuf-compiler' "$work/output" ||
    fail "generate-rocket does not report the missing protoc"
generate_rocket >"$work/output" 2>&1 || { cat "$work/output"; fail "generate-rocket failed"; }
cp -r Sources/Order/pb "$work/pb"
ok "its messages and services are regenerated by swift package generate-rocket"
make generate ROCKET_GENERATOR="$bin/rocket_generator" >"$work/output" 2>&1 ||
    { cat "$work/output"; fail "make generate failed"; }
for file in Sources/Order/pb/*; do
    tail -n +3 "$file" | cmp -s - "$work/pb/${file##*/}" ||
        fail "generate-rocket and rocket_generator write different versions of $file"
done
! grep -q warning "$work/output" ||
    { cat "$work/output"; fail "make generate prints a warning without a reason"; }
sha256sum --quiet -c "$work/user-files" || fail "make generate has changed a file of the user"
removed=$(sed -n 's/^Order.makeOrder is gone, its files are yours to delete: //p' "$work/output")
[ -n "$removed" ] ||
    { cat "$work/output"; fail "make generate does not list the files of the removed method"; }
for file in ${removed//,/}; do rm "$file" || fail "$file was listed and does not exist"; done
ok "make generate adds a method, lists the files of a removed one and changes none of the user's"
build
start
call order placeOrder '{"price": 100}' '{}'
call order findOrder '{}' '{}'
finish

generate order_server -i "$here/protos/order_server.proto"
build
start
call order_service make_order '{"price": 100}' '{}'
call order_service query_order '{"order_id": "x"}' '{}'
call order_service cancel_order '{}' '{}'
refuses order_service make_order '{}' 'missingRequiredFields'
finish

generate shop -i "$here/protos/shop/v1/shop.proto" -I "$here/protos"
logic Sources/Shop/interface/Get.swift \
    'response.class = request.value' 'response.price.amount = 5' 'response.box.size = .small' \
    'response.since.seconds = 1'
logic Sources/Shop/interface/Import.swift 'throw BusinessException(-7, "closed")'
sed -i 's|#expect(response == .*|#expect(response.price.amount == 5)|' \
    Tests/ShopTests/GetTests.swift
sed -i 's|let response = try await|let response = try? await|; s|#expect(response == .*|#expect(response == nil)|' \
    Tests/ShopTests/ImportTests.swift
build
start
call catalogue get '"pear"' '{"class":"pear","price":{"amount":"5"},"box":{"size":"SIZE_SMALL"},"since":"1970-01-01T00:00:01Z"}'
call lending_service get '{"class": "x", "protocol": 3}' '{}'
call catalogue class '{"size": "SIZE_SMALL"}' '{}'
call catalogue init '{}' '{}'
call lending_service Error '{}' '{}'
call lending_service return_all '{}' '{}'
refuses catalogue import '{}' 'closed'
finish

generate feed -i "$here/protos/feed.proto"
logic Sources/Feed/interface/Add.swift 'response.count = 1'
logic Sources/Feed/interface/Watch.swift \
    'for text in ["a", "b"] { try await responses.write(.with { $0.text = text }) }'
sed -i 's|for try await _ in requests {|for try await request in requests { try await responses.write(request)|' \
    Sources/Feed/interface/Echo.swift
sed -i -e 's|for try await _ in requests {|var count: Int32 = 0\n        for try await request in requests {\n            guard !request.text.isEmpty else { throw BusinessException(-2, "no text") }\n            count += 1|' \
    -e 's|return Feed_V1_Reply()|return Feed_V1_Reply.with { $0.count = count }|' \
    Sources/Feed/interface/AddAll.swift
sed -i 's|count == 0|count == 2|' Tests/FeedTests/WatchTests.swift
sed -i 's|count == 0|count == 1|' Tests/FeedTests/EchoTests.swift
sed -i 's|response.retCode == 0|response.retCode == -2|' Tests/FeedTests/AddAllTests.swift
build
start
call feed add '{}' '{"count":1}'
call feed watch '{}' $'{"text":"a"}\n{"text":"b"}'
streams feed add_all '{"text":"x"}\n\n{"text":"y"}' '{"count":2}'
streams feed add_all '{"text":"x"}\n{}\n' '{"ret_code":-2,"res_info":"no text"}'
streams feed Echo '{"text":"1"}\n{"text":"2"}\n' '{"text":"1"}\n{"text":"2"}'
call feed Echo '{"text":"1"}' '{"text":"1"}'
streams streams requests '' ''
call streams class '{}' '{}'
call streams old '{}' ''
refuses feed Echo '{"texts":""}' 'is no feed.v1.Item'
finish
# A method that becomes a stream: its files are listed, and with --force-user-files they fit.
sed -i 's|rpc add(Item) returns (Reply)|rpc add(Item) returns (stream Reply)|' Protos/feed.proto
make generate ROCKET_GENERATOR="$bin/rocket_generator" >"$work/output" 2>&1 ||
    { cat "$work/output"; fail "make generate failed for a changed kind"; }
grep -q 'Feed.add was .* and is (feed.v1.Item) returns (stream feed.v1.Reply): change .*/Add.swift' \
    "$work/output" || { cat "$work/output"; fail "make generate does not report the changed kind"; }
rm Sources/Feed/interface/Add.swift Tests/FeedTests/AddTests.swift
make generate ROCKET_GENERATOR="$bin/rocket_generator" >/dev/null 2>&1 || fail "make generate failed"
build
start
call feed add '{}' ''
finish

# Files of other projects. The client of gRPC's health service is the one of any gRPC server.
grpc=/usr/share/grpc-proto
generate interop --name interop -I "$grpc" -i "$grpc/grpc/testing/test.proto" \
    -i "$grpc/grpc/health/v1/health.proto" -i "$grpc/grpc/reflection/v1/reflection.proto"
build
start
call test_service EmptyCall '{}' '{}'
call test_service StreamingOutputCall '{}' ''
streams test_service StreamingInputCall '{}\n{}\n' '{}'
streams test_service FullDuplexCall '{}\n' ''
call health Watch '{}' ''
finish
go=$SCRATCH_PATH/etcd-protos/src
if [ -d "$go" ]; then
    generate etcd --name etcd -I "$go/go.etcd.io" -I "$go/github.com/gogo/protobuf" \
        -I "$go/github.com/grpc-ecosystem/grpc-gateway/third_party/googleapis" \
        -i "$go/go.etcd.io/etcd/etcdserver/etcdserverpb/rpc.proto"
    build
else
    echo "skipped: etcd's .proto files are missing; scripts/etcd-protos downloads them"
fi
# Names of libraries, modules and entries of programs; a blank in a name; two inputs; CR LF.
generate odd --name odd -i "$here/protos/names/odd names.proto" -i "$here/protos/names/second.proto"
! grep -rnF "$root" . --include='*' || fail "a file contains an absolute path"
build
start
call odd Main '{}' '{}'
call odd Swift '{}' '{}'
refuses order Main '{}' 'missingRequiredFields'
call order event '{}' '{}'
finish
find . \( -name '*.swift' -o -name '*.proto' \) ! -path './.build/*' -exec sed -i 's/$/\r/' {} +
make generate ROCKET_GENERATOR="$bin/rocket_generator" >"$work/output" 2>&1 ||
    { cat "$work/output"; fail "make generate failed after a change of line ends"; }
grep -q ': nothing to write$' "$work/output" ||
    { cat "$work/output"; fail "make generate writes files after a change of line ends"; }
ok "is not written by a run after its line ends became CR LF"
echo "ok: $count steps with generated projects"
