# Socket activation: the sockets belong to the unit, not to the process.

listening() { in_sd ss -Hltnxe 2>/dev/null | grep -E '127.0.0.1:12345|order_server.sock' | sort; }
same "the service is down, its sockets are open" "inactive active" \
    "$(property ActiveState) $(in_sd systemctl is-active $NAME.socket)"
inode() { in_sd stat -c %i /run/order_server.sock; }
socket=$(inode)
has "a call over TCP starts the service" "made order" "$(order make --price 100 --goods wake 2>&1)"
pid=$(property MainPID)
same "systemd has passed both sockets with their names" "LISTEN_FDNAMES=rpc:rpc LISTEN_FDS=2" \
    "$(in_sd cat "/proc/$pid/environ" | tr '\0' '\n' | grep '^LISTEN_FD' | sort | paste -sd' ')"
has "a call over the Unix socket" "made order" \
    "$(in_sd order_client make --price 100 --goods unix --to $UNIX 2>&1)"
in_sd systemctl restart $NAME.service
same "the Unix socket is the same after a restart" "$socket" "$(inode)"
has "... and works" "made order" \
    "$(in_sd order_client make --price 100 --goods again --to $UNIX 2>&1)"
