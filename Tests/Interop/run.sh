#!/usr/bin/env bash
# Tests TLS with real peers: `openssl s_client` and `s_server`, Python's `ssl`, the scanner sslyze.
# Called by `make test-e2e`, which has built bin/. Takes about half a minute.
#
#   Tests/Interop/run.sh [TEST…]     all tests, or modules, classes, methods: test_scanner
#
#   ROCKET_BIN               the folder of the programs (default: bin/)
#   SCRATCH_PATH             where sslyze is installed (default: .build)
#   INTEROP_REQUIRE_SSLYZE   set: fails if sslyze can't be installed, in place of skipping its tests
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
environment=${SCRATCH_PATH:-$root/.build}/interop-python
export PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore::DeprecationWarning

if [ ! -x "$environment/bin/sslyze" ]; then
    rm -rf "$environment"
    if ! { python3 -m venv "$environment" && "$environment/bin/pip" install -q sslyze==6.3.1; } >&2; then
        echo "sslyze can't be installed from PyPI into $environment: its tests are skipped" >&2
        [ -z "${INTEROP_REQUIRE_SSLYZE:-}" ] || exit 1
    fi
fi
if [ -x "$environment/bin/sslyze" ]; then export SSLYZE=$environment/bin/sslyze; fi
cd "$here"
if [ $# -gt 0 ]; then exec python3 -m unittest -v "$@"; fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
python3 -m unittest discover -v -s . -p 'test_*.py' 2>&1 | tee "$log" || status=$?
result=$(grep -aE '^Ran [0-9]+ test' "$log" || true)
if [ "$status" = 0 ] && [ -n "$result" ]; then
    echo "ok: ${result#Ran }, $(tail -1 "$log")"
else
    echo "FAILED: ${result:-no test ran}"
    exit 1
fi
