# What an operator reads with journalctl. The service is stopped before and afterwards.

begin_at=@$(date +%s)
in_sd systemctl restart $NAME.socket
in_sd systemctl start $NAME.service
pid=$(property MainPID)
order make --price 100 --goods lines >/dev/null

# Fields are in the text, and have one name each.
in_sd bash -c 'exec 3<>/dev/tcp/127.0.0.1/12345; printf "xxxxxxxxxxxxxxxx" >&3; cat <&3' >/dev/null 2>&1
check "a frame that is wrong is logged" until_ 5 journal_shows '^bad frame.* peer=127.0.0.1:'
line=$(journal -o json ROCKET_STREAM=rpc PRIORITY=3 -n 1)
has "... its peer is the field PEER" '"PEER":"127.0.0.1:' "$line"
lacks "... and has no other name" FIELD_PEER "$line"

in_sd cp $CONFIG $CONFIG.kept
in_sd sed -i 's|<log_level>INFO|<log_level>LOUD|' $CONFIG
in_sd kill -HUP "$pid"
check "a reload that failed shows its reason" until_ 5 journal_shows ' not reloaded.* error=.*log_level'
in_sd cp $CONFIG.kept $CONFIG
in_sd sed -i 's|<port>12345|<port>12346|' $CONFIG
in_sd kill -HUP "$pid"
check "a change that needs a restart shows its element" until_ 5 journal_shows ' path=server/port '
in_sd mv $CONFIG.kept $CONFIG
in_sd kill -HUP "$pid"

# The time from the log call to the journal, of all lines; the median, as the machine is shared.
median=$(journal --since "$begin_at" -o json _PID="$pid" | sed -nE \
    's/.*"__REALTIME_TIMESTAMP":"([0-9]+)".*"ROCKET_TIME_US":"([0-9]+)".*/\1 \2/p;
     s/.*"ROCKET_TIME_US":"([0-9]+)".*"__REALTIME_TIMESTAMP":"([0-9]+)".*/\2 \1/p' |
    awk '{ print int(($1 - $2) / 1000) }' | sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }')
check "lines at INFO are in the journal within 50 ms (${median:-none} ms)" test "${median:-99}" -le 50

# The failure of a start is an error, also before a log is open.
in_sd systemd-run --wait --quiet --unit=bad_start order_server /nonexistent.xml 2>/dev/null
in_sd journalctl --sync
has "a start that failed is found by journalctl -p err" "order_server: " \
    "$(in_sd journalctl -b --no-pager -o cat -p err -u bad_start.service)"
in_sd systemctl reset-failed bad_start.service 2>/dev/null

# Since this part began: the last release's package, which upgrade.sh installs, has such lines.
output=$(in_sd journalctl -b --no-pager -o cat --since "$begin_at")
lacks "no line about the priority of threads" "thread priority" "$output"
lacks "no line about TCP_NODELAY on a Unix socket" NODELAY "$output"
in_sd systemctl stop $NAME.service
