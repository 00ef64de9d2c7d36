#!/usr/bin/env bash
# Tests the page of order_server from outside: its metrics with Prometheus and its promtool, the Grafana
# dashboard, each page in headless Chromium at two widths, light and dark. Fails if one of them is not installed: scripts/deps --admin.
#
#   Tests/Admin/run.sh      called by `make test-e2e`
#
#   ROCKET_BIN     the folder of the programs (default: bin/)
#   PROMETHEUS_SECONDS   how long calls are made while Prometheus scrapes (default: 8)
#   SCREENSHOTS    the folder for pictures of the pages (default: .build/logs/admin)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export ROCKET_BIN=${ROCKET_BIN:-$root/bin}
export SCREENSHOTS=${SCREENSHOTS:-${SCRATCH_PATH:-$root/.build}/logs/admin}
"$root/scripts/deps" --admin
mkdir -p "$SCREENSHOTS"
work=${SCRATCH_PATH:-$root/.build}/grpc-interop
mkdir -p "$work"
. "$root/Tests/GRPC/python.sh"
cd "$here"
tests=("$@")
[ $# -gt 0 ] || tests=(test_admin test_peers test_prometheus test_secure test_tracing)
exec "$python/bin/python" -B -m unittest --verbose "${tests[@]}"
