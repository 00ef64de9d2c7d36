# Checks order_server under systemd; sourced by run.sh, which has booted one. Each line begins with
# "ok:" or "FAILED:"; the last one counts them.

PASS=0 FAIL=0
NAME=order_server TCP=127.0.0.1:12345 UNIX=unix:/run/order_server.sock
CONFIG=/etc/rocket/order_server.xml STORE=/var/lib/order_server/orders.sqlite

ok() { PASS=$((PASS + 1)); echo "ok: $1"; }
nok() { # WHAT [DETAIL]
    FAIL=$((FAIL + 1))
    echo "FAILED: $1"
    [ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/    | /'
}
# check WHAT COMMAND…: the command succeeds
check() {
    local what=$1 output status=0
    shift
    output=$("$@" 2>&1) || status=$?
    if [ "$status" = 0 ]; then ok "$what"; else nok "$what" "$output"; fi
}
# has WHAT TEXT OUTPUT: the output contains the text; matches WHAT REGEX OUTPUT: the regex matches
# it; lacks WHAT TEXT OUTPUT: it does not contain it
has() { case $3 in *"$2"*) ok "$1" ;; *) nok "$1 (expected: $2)" "$3" ;; esac }
lacks() { case $3 in *"$2"*) nok "$1 (not expected: $2)" "$3" ;; *) ok "$1" ;; esac }
matches() { if [[ $3 =~ $2 ]]; then ok "$1"; else nok "$1 (expected: $2)" "$3"; fi }
same() { if [ "$2" = "$3" ]; then ok "$1"; else nok "$1" "expected: $2"$'\n'"found:    $3"; fi }

property() { in_sd systemctl show -P "$1" "$NAME.service"; }
is() { [ "$(property "$1")" = "$2" ]; }
journal() { in_sd journalctl --sync; in_sd journalctl -b --no-pager -u "$NAME.service" "$@"; }
until_() { # SECONDS COMMAND…: waits until it succeeds
    local left=$(($1 * 20))
    shift
    for _ in $(seq "$left"); do
        "$@" && return 0
        sleep 0.05
    done
    return 1
}
order() { in_sd order_client "$@" --to "$TCP"; }
status_shows() { [[ "$(property StatusText)" =~ $1 ]]; }
journal_shows() { journal -o cat | grep -q -- "$1"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
# All files that were made or changed: those in the upper layer of the overlay.
files() { find "$W/up" \( -type f -o -type l \) -printf '/%P\n' | LC_ALL=C sort; }

for part in ${PARTS:-install upgrade package service health journal sockets access tls mistakes logs instance watchdog store load removal}; do
    began=$SECONDS
    # shellcheck source=/dev/null
    . "$here/checks/$part.sh"
    echo "-- $part: $((SECONDS - began)) s"
done

if [ "$FAIL" != 0 ]; then
    echo "---- the end of the journal"
    in_sd journalctl -b --no-pager --no-hostname -o short-monotonic | tail -"${JOURNAL_LINES:-80}"
fi
echo "the test under systemd took $((SECONDS - begin)) s"
echo "$PASS passed, $FAIL failed"
[ "$FAIL" = 0 ]
