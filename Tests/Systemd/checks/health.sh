# order_client health with the installed configuration, as a script and a monitor use it.

health() { # WHAT STATUS TEXT ARGUMENT…: the check ends with the status and prints the text
    local what=$1 expected=$2 text=$3 output status=0
    shift 3
    output=$(in_sd order_client health "$@" 2>&1) || status=$?
    same "$what: status $expected" "$expected" "$status"
    has "... and prints it" "$text" "$output"
}

in_sd systemctl start $NAME.service
health "a service that serves, found by /etc/rocket/order_client.xml" 0 \
    "order ($TCP): Order is SERVING" Order
health "a server, over its Unix socket" 0 "server is SERVING" --to /run/order_server.sock
health "a service that does not exist" 66 '"state":"not_found"' Nothing --json
health "... for Nagios" 3 "ROCKET UNKNOWN - Nothing" Nothing --nagios

in_sd systemctl kill -s STOP $NAME.service
health "a server that hangs" 69 '"reason":"timeout"' Order --timeout 200ms --json
in_sd systemctl kill -s CONT $NAME.service
health "... and goes on" 0 "ROCKET OK - Order is SERVING | time=" Order --nagios

in_sd systemctl stop $NAME.socket $NAME.service
health "a server that is stopped" 69 '"reason":"connection_refused"' Order --json
health "... for Nagios" 2 "ROCKET CRITICAL - Order is down" Order --nagios
in_sd systemctl start $NAME.socket
health "a check of an active socket unit starts the server" 0 "Order is SERVING" Order --timeout 20s
in_sd systemctl stop $NAME.service
