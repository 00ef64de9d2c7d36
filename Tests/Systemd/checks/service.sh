# Start, status, hardening, reload, journal.

in_sd systemctl stop $NAME.service $NAME.socket
in_sd systemctl mask --runtime $NAME.socket >/dev/null 2>&1
refused=0
for number in 1 2 3 4 5; do
    in_sd systemctl start $NAME.service || refused=$((refused + 1))
    # Without the socket unit the connection would be refused before the server listens.
    order make --price 100 --goods "start $number" >/dev/null || refused=$((refused + 1))
    in_sd systemctl stop $NAME.service
done
same "systemctl start returns when clients can connect: 5 starts without the socket unit, 0 refused" \
    0 "$refused"
in_sd systemctl unmask --runtime $NAME.socket >/dev/null 2>&1
in_sd systemctl start $NAME.service
same "the service pulls in its sockets" active "$(in_sd systemctl is-active $NAME.socket)"

pid=$(property MainPID)
output=$(in_sd cat "/proc/$pid/status")
has "no new privileges" $'NoNewPrivs:\t1' "$output"
has "system calls are filtered" $'Seccomp:\t2' "$output"
has "no capabilities" $'CapEff:\t0000000000000000' "$output"
uid=$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' <<<"$output")
check "a dynamic user: $uid" test "$uid" -ge 61184 -a "$uid" -le 65519
check "the store is in its StateDirectory" in_sd test -f /var/lib/private/order_server/orders.sqlite

order make --price 100 --goods status >/dev/null
shape='^[0-9]+ calls/s, 0 in flight, p99 [0-9.]+ ms, [0-9]+ connections$'
until_ 3 status_shows "$shape"
matches "STATUS has calls/s, in flight, p99, connections" "$shape" "$(property StatusText)"
has "systemctl status shows it" " calls/s, 0 in flight" "$(in_sd systemctl status $NAME.service)"

in_sd sed -i 's|<log_level>INFO|<log_level>DEBUG|' $CONFIG
check "systemctl reload" in_sd systemctl reload $NAME.service
check "the new log level is taken over" until_ 5 journal_shows 'configuration change applied'
until_ 5 is ActiveState active
same "... by the same process, which is ready again" "active $pid" "$(property ActiveState) $(property MainPID)"
id=$(order make --price 100 --goods journal | sed -n 's/^made order \([0-9]*\):.*/\1/p')
check "... and calls are lines now" until_ 5 journal_shows '^call served'

line=$(journal -o json RPC_METHOD=Order.makeOrder -n 1)
message=$(sed -n 's/.*"MSG_ID":"\([^"]*\)".*/\1/p' <<<"$line")
line=$(journal -o json RPC_METHOD=Order.makeOrder "MSG_ID=$message")
same "journalctl RPC_METHOD=… MSG_ID=… finds one call" 1 "$(wc -l <<<"$line")"
for field in '"MESSAGE":"call served ' ' peer=127.0.0.1:' '"PRIORITY":"7"' '"ROCKET_STREAM":"rpc"' '"CODE_FILE":"' \
    '"CODE_LINE":"' '"CODE_FUNC":"' '"TID":"' '"PEER":"127.0.0.1:' '"US":"' \
    "\"MSG_ID\":\"$message\"" '"_SYSTEMD_UNIT":"order_server.service"' '"_TRANSPORT":"journal"'; do
    has "journal field $field" "$field" "$line"
done
in_sd sed -i 's|<log_level>DEBUG|<log_level>INFO|' $CONFIG
in_sd systemctl reload $NAME.service
check "another reload restores the level" until_ 5 bash -c "[ \$(nsenter -t $SD -m -p -- journalctl -b --no-pager -u $NAME.service -o cat | grep -c 'configuration reloaded') = 2 ]"
has "the order is in the store" journal "$(order get "$id")"

in_sd systemctl stop $NAME.service
same "systemctl stop drains, and the server exits with success" "inactive success 0" \
    "$(property ActiveState) $(property Result) $(property ExecMainStatus)"
has "... and logs it" "server drained" "$(journal -o cat -n 5)"
