# Who may use the sockets in /run.

as() { # GROUP COMMAND…: as a user who is a member of that group only
    local group=$1
    shift
    in_sd setpriv --reuid nobody --regid nogroup --groups "$group" "$@" 2>&1
}
for socket in order_server chat_server; do
    same "/run/$socket.sock is open to the group rocket" "660 root:rocket" \
        "$(in_sd stat -c '%a %U:%G' "/run/$socket.sock")"
done
has "a member makes an order" "made order" "$(as rocket order_client make --price 100 --goods member --to $UNIX)"
has "... nobody else does" "ermission denied" \
    "$(as nogroup order_client make --price 100 --goods stranger --to $UNIX)"
check "a member joins the chat" as rocket sh -c 'echo hello | chat_client unix:/run/chat_server.sock'
output=$(as nogroup sh -c 'echo hello | chat_client unix:/run/chat_server.sock')
has "... nobody else does" "ermission denied" "$output"
same "... and the chat listens on no TCP port" "" "$(in_sd ss -Hltn 'sport = 9999')"

in_sd mkdir -p /run/systemd/system/chat_server.socket.d
in_sd sh -c 'printf "[Socket]\nListenStream=127.0.0.1:9999\n" >/run/systemd/system/chat_server.socket.d/port.conf'
in_sd systemctl daemon-reload
check "a TCP port by a drop-in, as README.Debian says" in_sd systemctl restart chat_server.socket
check "... and everyone joins" as nogroup sh -c 'echo hello | chat_client 127.0.0.1 9999'
in_sd rm -r /run/systemd/system/chat_server.socket.d
in_sd systemctl daemon-reload
in_sd systemctl restart chat_server.socket
