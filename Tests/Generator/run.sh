#!/usr/bin/env bash
# What rocket_generator writes is built, tested, started, called and stopped, each project from an
# empty folder: the original's order.proto, a package-less one with underscores, and one with a
# package, imports, two services, nested and well-known messages and keywords for names.
#
#   Tests/Generator/run.sh      called by `make test-e2e`
#
#   SCRATCH_PATH   SwiftPM's build folder: Rocket is not compiled again for each project
#   ROCKET_BIN     where the programs are (bin/)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export SCRATCH_PATH=${SCRATCH_PATH:-$root/.build}
# What the Makefile that calls this exports, empty as it may be, is not for the projects' own.
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
        fail "swift-format has something to say"
    ok "is generated, and swift-format has nothing to say"
    resolve
}

# SwiftPM throws checkouts away that a package does not need when it resolves that for the first
# time; so that happens where nobody builds (docs/decisions/0001).
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
    ok "is built in $built s, and its own tests pass $((SECONDS - begin - built)) s later"
}

start() {
    # The kernel picks the port.
    ROCKET_SERVER_PORT=0 bin/run.sh || fail "bin/run.sh failed"
    port=$(sed -n 's/.* is ready, listening on .*:\([0-9]*\)$/\1/p' "log/$current.out")
    [ -n "$port" ] || fail "the server does not say where it listens"
    ! ROCKET_SERVER_PORT=0 bin/run.sh 2>/dev/null || fail "bin/run.sh started a second server"
    ok "is started"
}

call() { # CLIENT JSON EXPECTED
    local answer
    answer=$("bin/test_$1_client" 127.0.0.1 "$port" "$2") || fail "test_$1_client $2 failed"
    [ "$answer" = "$3" ] || fail "test_$1_client $2 answered $answer in place of $3"
    ok "test_$1_client $2 answers $answer"
}

# refuses CLIENT JSON TEXT: the call fails with one line that says so.
refuses() {
    local answer
    ! answer=$("bin/test_$1_client" 127.0.0.1 "$port" "$2" 2>&1) || fail "test_$1_client $2 passed"
    [[ "$answer" == *"$3"* ]] || fail "test_$1_client $2 said $answer, not $3"
    ok "test_$1_client $2 is refused: $answer"
}

finish() {
    local pid
    pid=$(cat "log/$current.pid")
    bin/shutdown.sh | grep -q 'has drained' || fail "bin/shutdown.sh failed"
    [ ! -e "/proc/$pid/exe" ] || fail "the server still runs"
    bin/shutdown.sh 2>/dev/null || fail "bin/shutdown.sh fails when nothing runs"
    ok "is stopped"
}

# SwiftPM's command; the generator's own code and protoc-gen-swift are built for it once.
generate_rocket() {
    SWIFT_DETERMINISTIC_HASHING=1 swift package --scratch-path "$SCRATCH_PATH" \
        --allow-writing-to-package-directory \
        generate-rocket
}

logic() { # FILE STATEMENT…: in the place of the comment in run()
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
call make_order '{"price": 100, "goods": "apple"}' \
    '{"res_info":"OK","order_id":"apple-100"}'
call make_order '{"price": 1}' '{"ret_code":-1,"res_info":"short balance"}'
refuses make_order '{"cost": 1}' 'is no makeOrderRequest'
finish
make install BUILD=debug SWIFT_FLAGS= DESTDIR="$PWD/installed" PREFIX=/usr >/dev/null ||
    fail "make install failed"
grep -q '^ExecStart=/usr/bin/order /etc/order/rocket.xml' \
    installed/usr/lib/systemd/system/order.service || fail "the unit names no program"
[ -x installed/usr/bin/order ] && [ -f installed/etc/order/rocket.xml ] ||
    fail "make install left something out"
ok "is installed"
"$bin/rocket_generator" -i Protos/order.proto -o .. --rocket "$root" |
    grep -q ': nothing to write$' || fail "a second run writes again"
ok "is not written again"

# The .proto file changes: the method gets another name, and there is one more.
sed -i 's|rpc makeOrder\(.*\)|rpc placeOrder\1\n  rpc findOrder\1|' Protos/order.proto
find . -type f ! -path './Sources/Order/pb/*' ! -path './Sources/Order/service/*' \
    ! -path './bin/*' ! -path './installed/*' ! -name Package.swift ! -name Package.resolved \
    -exec sha256sum {} + >"$work/yours"
! PROTOC=/nowhere/protoc generate_rocket >"$work/said" 2>&1 || fail "generate-rocket needs no protoc"
grep -q 'apt-get install protobuf-compiler' "$work/said" || fail "generate-rocket does not tell why"
generate_rocket >"$work/said" 2>&1 || { cat "$work/said"; fail "generate-rocket failed"; }
cp -r Sources/Order/pb "$work/pb"
ok "its messages and services are renewed by swift package generate-rocket"
make generate ROCKET_GENERATOR="$bin/rocket_generator" >"$work/said" 2>&1 ||
    { cat "$work/said"; fail "make generate failed"; }
for file in Sources/Order/pb/*; do
    tail -n +3 "$file" | cmp -s - "$work/pb/${file##*/}" ||
        fail "generate-rocket writes another $file than rocket_generator"
done
! grep -q warning "$work/said" || { cat "$work/said"; fail "make generate warns of nothing"; }
sha256sum --quiet -c "$work/yours" || fail "make generate changed a file of the user's"
gone=$(sed -n 's/^Order.makeOrder is gone, its files are yours to delete: //p' "$work/said")
[ -n "$gone" ] || { cat "$work/said"; fail "make generate does not name what has gone"; }
for file in ${gone//,/}; do rm "$file" || fail "$file was named, and is not there"; done
ok "make generate adds a method, names a removed one's files and changes none of the user's"
build
start
call place_order '{"price": 100}' '{}'
call find_order '{}' '{}'
finish

generate order_server -i "$here/protos/order_server.proto"
build
start
call make_order '{"price": 100}' '{}'
call query_order '{"order_id": "x"}' '{}'
call cancel_order '{}' '{}'
refuses make_order '{}' 'missingRequiredFields'
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
call get '"pear"' '{"class":"pear","price":{"amount":"5"},"box":{"size":"SIZE_SMALL"},"since":"1970-01-01T00:00:01Z"}'
call shop_v1_lending_service_get '{"class": "x", "protocol": 3}' '{}'
call class '{"size": "SIZE_SMALL"}' '{}'
call init '{}' '{}'
call error '{}' '{}'
call return_all '{}' '{}'
refuses import '{}' 'closed'
finish
echo "ok: $count steps with generated projects"
