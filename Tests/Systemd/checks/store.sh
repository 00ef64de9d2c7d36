# The store under systemd: a full disk, backup and restore, a file of the wrong owner. The state
# directory is a small tmpfs, so that the disk can be filled.

STATE=/var/lib/private/order_server COPY=/root/orders-copy.sqlite
store_count() {
    in_sd order_server --check-store --json $CONFIG 2>/dev/null | sed -n 's/.*"orders":\([0-9]*\).*/\1/p'
}
lines_of() { journal -o cat | grep -c -- "$1"; }

in_sd systemctl stop $NAME.socket $NAME.service
in_sd mount -t tmpfs -o size=3m,mode=750 store $STATE
in_sd systemctl start $NAME.socket $NAME.service
for number in 1 2 3; do order make --price 100 --goods "store $number" >/dev/null; done

# A full disk: only a larger order needs another page each time.
goods=$(printf '%01000d' 0)
in_sd sh -c "head -c 8M /dev/zero >$STATE/filler 2>/dev/null"
refused=0
for number in $(seq 40); do
    order make --price 100 --goods "$goods" >/dev/null 2>&1 || refused=$((refused + 1))
    [ $refused -lt 5 ] || break
done
check "a full disk refuses orders" test $refused -ge 5
check "... STATUS says so" until_ 5 status_shows '^orders are not stored: the disk is full; [0-9]+ calls/s'
sleep 2
order make --price 100 --goods "$goods" >/dev/null 2>&1
same "... the log has one line, however many orders fail" 1 "$(lines_of "order store can't write")"
same "... of priority err" 1 \
    "$(journal -o cat -p err | grep -c "order store can't write")"
in_sd rm $STATE/filler
check "... and one when it is over" until_ 15 journal_shows 'order store writes again'
same "... with the number of orders" 1 \
    "$(journal -o json | grep 'order store writes again' | grep -cE '"[A-Z_]*FAILED_ORDERS":"[1-9]')"
until_ 5 status_shows '^[0-9]+ calls/s'
matches "... then STATUS is as before" '^[0-9]+ calls/s' "$(property StatusText)"
has "... and orders are stored" "made order" "$(order make --price 100 --goods after 2>&1)"

# Backup beside the server, then loss of the store, then restore.
stored=$(store_count)
output=$(in_sd order_server --backup $COPY $CONFIG 2>&1)
has "a backup while the server runs: $output" "$stored orders" "$output"
same "... has mode 0600" 600 "$(in_sd stat -c %a $COPY)"
output=$(in_sd order_server --backup $COPY $CONFIG 2>&1)
same "... and is not overwritten" 73 $?
order make --price 100 --goods lost >/dev/null
output=$(in_sd order_server --restore $COPY $CONFIG 2>&1)
same "a restore is refused while the server runs" 75 $?
in_sd systemctl stop $NAME.socket $NAME.service
in_sd sh -c "head -c 8192 /dev/urandom >$STATE/orders.sqlite"
output=$(in_sd order_server --check-store $CONFIG 2>&1)
same "a damaged store is found" 65 $?
output=$(in_sd order_server --restore $COPY $CONFIG 2>&1)
has "it is restored: $output" "$stored orders" "$output"
same "... for the owner of the state directory" "$(in_sd stat -c %u $STATE)" \
    "$(in_sd stat -c %u $STATE/orders.sqlite)"
same "... and the old file is kept" 1 "$(in_sd sh -c "ls $STATE/orders.sqlite.before-* | wc -l")"
in_sd systemctl start $NAME.socket $NAME.service
same "... the server has the orders" "$stored" "$(store_count)"
has "... and makes more" "made order" "$(order make --price 100 --goods restored 2>&1)"

# A file of the wrong owner, as after cp.
in_sd systemctl stop $NAME.socket $NAME.service
owner=$(in_sd stat -c %u $STATE)
in_sd chown root:root $STATE/orders.sqlite
in_sd systemctl start $NAME.service >/dev/null 2>&1
output=$(journal -o cat -n 40)
has "a store of the wrong owner: the log says whose it is" "belongs to root (uid 0), mode 0600" "$output"
has "... whose it should be, and how" "chown --reference=" "$output"
in_sd systemctl stop $NAME.socket $NAME.service
in_sd systemctl reset-failed $NAME.service $NAME.socket 2>/dev/null
command=$(sed -n 's/.*\(chown --reference=[^ ]* [^ ;"]*\).*/\1/p' <<<"$output" | tail -1)
check "... the command of that line: $command" in_sd sh -c "$command"
in_sd systemctl start $NAME.socket $NAME.service
same "... and the server starts, as the owner of its folder ($owner)" active "$(property ActiveState)"

# Without the rights of root.
output=$(in_sd setpriv --reuid=65534 --clear-groups order_server --check-store $CONFIG 2>&1)
same "--check-store without the right to read the store" 77 $?
matches "... names the folder and its owner: $output" '/var/lib/private belongs to root' "$output"

in_sd systemctl stop $NAME.socket $NAME.service
has "--compact: $(in_sd order_server --compact $CONFIG 2>/dev/null)" '"sound":true' \
    "$(in_sd order_server --check-store --json $CONFIG 2>&1)"
in_sd umount $STATE
in_sd rm -f $COPY
in_sd systemctl start $NAME.socket $NAME.service
