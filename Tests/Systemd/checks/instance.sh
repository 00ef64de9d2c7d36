# Another server on the same machine, made as README.Debian says.

instance=$NAME@blue.service
commands=$(in_sd sed -n "/^  sed 's/,/^$/p" /usr/share/doc/rocket-order-server/README.Debian | sed 's/NAME/blue/g')
has "README.Debian has the commands" "systemctl enable --now order_server@blue" "$commands"
check "an instance starts with them" in_sd sh -ec "$commands"
has "... it makes orders" "made order" \
    "$(in_sd order_client make --price 100 --goods blue --to unix:/run/order_server@blue.sock 2>&1)"
has "... in its own store" "blue" "$(in_sd order_client list --all --to unix:/run/order_server@blue.sock 2>&1)"
check "... and in no other one" bash -c "! grep -qw blue <<<'$(order list --all 2>&1)'"
check "... which is in its own folder" in_sd test -f /var/lib/private/order_server@blue/orders.sqlite
users=$(in_sd sh -c "stat -c %u /proc/$(property MainPID) /proc/$(in_sd systemctl show -P MainPID "$instance")")
check "... of its own user" test "$(sort -u <<<"$users" | wc -l)" = 2
pid=$(in_sd systemctl show -P MainPID "$instance")
check "an upgrade" in_sd sh -c 'dpkg -i /opt/e2e/rocket-order-server_*.deb'
check "... restarts it" test "$(in_sd systemctl show -P MainPID "$instance")" != "$pid"
same "... and it is active" active "$(in_sd systemctl is-active "$instance")"
in_sd sed -i 's|<io_threads>2|<io_threads>many|' /etc/rocket/order_server@blue.xml
pid=$(in_sd systemctl show -P MainPID "$instance")
output=$(in_sd sh -c 'dpkg -i /opt/e2e/rocket-order-server_*.deb' 2>&1)
has "an upgrade fails if the configuration of an instance is invalid" "order_server@blue.service is not restarted" "$output"
same "... and its process goes on" "$pid" "$(in_sd systemctl show -P MainPID "$instance")"
in_sd sed -i 's|<io_threads>many|<io_threads>2|' /etc/rocket/order_server@blue.xml
check "... after the repair dpkg --configure succeeds" in_sd dpkg --configure rocket-order-server
