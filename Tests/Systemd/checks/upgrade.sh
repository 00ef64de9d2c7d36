# The upgrade from the last release, whose one package `rocket` contained everything, with apt.

before=$(files)
check "the last release's package is installed" in_sd dpkg -i /opt/e2e/rocket_0.1.0-1.deb
in_sd sed -i 's|<io_threads>2|<io_threads>1|' $CONFIG
in_sd systemctl restart $NAME.service
in_sd systemctl disable chat_server.service 2>/dev/null # and its socket
has "an order is made" "made order" "$(order make --price 100 --goods before 2>&1)"
socket=$(in_sd stat -c %i /run/order_server.sock)
pid=$(property MainPID)

upgrade() {
    in_sd sh -c 'apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold \
        /opt/e2e/rocket_*_all.deb /opt/e2e/rocket-*.deb' 2>&1
}
in_sd sed -i 's|<io_threads>1|<io_threads>many|' $CONFIG
output=$(upgrade)
status=$?
check "an upgrade with an invalid configuration fails" test "$status" != 0
has "... with the reason" 'found "many"' "$output"
has "... and with the way out" "dpkg --configure -a" "$output"
same "... the old process goes on" "$pid" "$(property MainPID)"
has "... and serves" "made order" "$(order make --price 100 --goods meanwhile 2>&1)"
in_sd sed -i 's|<io_threads>many|<io_threads>1|' $CONFIG
check "after the repair dpkg --configure succeeds" in_sd dpkg --force-confold --configure -a
mapfile -t packages < <(in_sd sh -c 'cd /opt/e2e && ls rocket-*.deb' | sed 's/_.*//')
same "all packages are installed" "rocket ${packages[*]}" \
    "$(in_sd dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 'rocket*' | sed -n 's/^ii //p' | paste -sd' ')"
pid_before=$(property MainPID)
in_sd chmod 600 $CONFIG
output=$(in_sd sh -c 'dpkg -i --force-confold /opt/e2e/rocket-order-server_*.deb' 2>&1)
check "an upgrade fails if the service can't read its configuration, though root can" test $? != 0
has "... with the reason" EACCES "$output"
same "... and the old process goes on" "$pid_before" "$(property MainPID)"
in_sd chmod 644 $CONFIG
check "... until that is repaired" in_sd dpkg --configure -a
check "a new process runs" test "$(property MainPID)" != "$pid" -a "$(property MainPID)" != 0
same "... the socket has stayed open" "$socket" "$(in_sd stat -c %i /run/order_server.sock)"
same "... with the new permissions" "660 root:rocket" "$(in_sd stat -c '%a %U:%G' /run/order_server.sock)"
output=$(order list --all 2>&1)
has "... the orders are kept" before "$output"
has "... all of them" meanwhile "$output"
has "the changed configuration is kept" "<io_threads>1<" "$(in_sd cat $CONFIG)"
same "... and belongs to the new package" "rocket-order-server: $CONFIG" "$(in_sd dpkg -S $CONFIG)"
has "the unchanged one is the new one" "/var/log/chat_server" "$(in_sd cat /etc/rocket/chat_server.xml)"
same "units are enabled as before" "enabled enabled disabled disabled" \
    "$(in_sd systemctl is-enabled $NAME.service $NAME.socket chat_server.{service,socket} | paste -sd' ')"
same "... and run as before" "active active active active" \
    "$(in_sd systemctl is-active $NAME.service $NAME.socket chat_server.{service,socket} | paste -sd' ')"
same "chat_server listens on no TCP port" "" "$(in_sd ss -Hltn 'sport = 9999')"

check "the transitional package is purged" in_sd dpkg -P rocket
check "... the configuration stays" in_sd test -f $CONFIG
same "... and the services run" "active active" \
    "$(in_sd systemctl is-active $NAME.service chat_server.service | paste -sd' ')"
check "the new packages are purged" in_sd dpkg -P "${packages[@]}"
check "... the orders stay" in_sd test -f $STORE
in_sd rm -rf /var/lib/order_server /var/lib/private/order_server /opt/e2e/rocket_0.1.0-1.deb
