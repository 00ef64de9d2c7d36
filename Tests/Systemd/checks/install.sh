# make install and uninstall, into a folder: nothing of the machine is touched.

destination=$W/destination
put() { DESTDIR=$destination PREFIX=/opt/rocket STRIP='' BACKOFF=yes "$root/scripts/install" "$@"; }
check "make install PREFIX=/opt/rocket" put
unit=$destination/opt/rocket/lib/systemd/system/order_server.service
has "... the unit starts the program of that prefix" "ExecStart=/opt/rocket/bin/order_server /etc/rocket/" \
    "$(cat "$unit")"
has "... with longer and longer pauses where systemd can" "RestartSteps=" "$(cat "$unit.d/backoff.conf")"
echo '<!-- changed -->' >>"$destination/etc/rocket/order_server.xml"
check "... again, over itself" put
has "... leaves a changed configuration alone" "changed" "$(tail -1 "$destination/etc/rocket/order_server.xml")"
check "make uninstall" put --uninstall
same "... leaves that configuration and nothing else" "/etc/rocket/order_server.xml" \
    "$(cd "$destination" && find . -type f -printf '/%P\n')"
rm -rf "$destination"
