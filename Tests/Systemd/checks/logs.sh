# Files as logs, under the unit; logrotate.

logs=/var/log/order_server
in_sd sed -i 's|<log_sinks>journal|<log_sinks>journal,file|' $CONFIG
check "the service starts with files as logs" in_sd systemctl restart $NAME.service
current() { in_sd sh -c "ls $logs/order_server_rpc_*_log.0"; }
file=$(current)
check "... they contain its lines" until_ 5 in_sd grep -q "server started" "$file"
same "... and belong to its user alone" "600 $(in_sd stat -c %u /proc/"$(property MainPID)")" "$(in_sd stat -c '%a %u' "$file")"

# The first run only records the files; the state is made older for the second one.
rotate() { in_sd logrotate --state /tmp/logrotate.state "$@" /etc/logrotate.d/order_server 2>&1; }
age() { # HOURS FILE…
    in_sd touch -d "-$1 hours" "${@:2}"
}
closed=$logs/order_server_rpc_20200101_log.0 old=$logs/order_server_rpc_20190101_log.0.1.gz
in_sd sh -c "echo closed >$closed; echo old | gzip >$old"
age 30 "$closed"
age 800 "$old"
rotate >/dev/null
in_sd sed -i 's/ [0-9]*-[0-9]*-[0-9]*-[0-9:]*$/ 2020-1-1-0:0:0/' /tmp/logrotate.state
same "logrotate succeeds" "" "$(rotate)"
same "... compresses a closed file" "closed" "$(in_sd zcat "$closed.1.gz" 2>&1)"
check "... removes one of 33 days" in_sd sh -c "! test -e $old"
check "... and leaves the current one" in_sd test -s "$file"
check "a run by force compresses that, too" rotate --force
check "... and removes nothing" in_sd sh -c "test -e $closed.1.gz && test -e $file.1.gz"
open_files() { in_sd sh -c "readlink /proc/$(property MainPID)/fd/* 2>/dev/null | grep /order_server_"; }
reopened() { ! open_files | grep -q deleted && open_files | grep -qx "/var/log/private/order_server/${file##*/}"; }
check "... after which the server writes into new files" until_ 5 reopened
in_sd sed -i 's|<log_sinks>journal,file|<log_sinks>journal|' $CONFIG
in_sd systemctl restart $NAME.service
