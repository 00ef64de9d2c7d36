"""dnsmasq with changing answers, four order servers and a client, each in its own network namespace; see
run.sh. Servers are IPv4, IPv6 or both; a record has a TTL of 1 s.

Prints what was done, and at the end one line `ok:` or `FAILED:` with the figures."""

import os
import signal
import sys
import time

import network
from network import RATE, WORK, processes, start, wait

ROUNDS = int(os.environ.get("DNS_ROUNDS", "1"))
HOSTS = {**{f"order{n}": 10 + n for n in range(1, 5)}, "dns": 40, "client": 50}
NAME = "orders.test"
# As the client prints them.
ADDRESSES = {
    "order1": ["10.77.0.11"],
    "order2": ["[fd77::12]"],
    "order3": ["10.77.0.13", "[fd77::13]"],
    "order4": ["10.77.0.14"],
}
RECORDS = WORK / "hosts"


def start_server(name):
    network.start_server(name, ",".join(f"{address}:12345" for address in ADDRESSES[name]))
    wait(f"{name} listens", 120, lambda: listens(name))


def listens(name):
    sockets = network.output("ip", "netns", "exec", name, "ss", "-Hltn", "sport", "=", ":12345")
    return len(sockets.splitlines()) == len(ADDRESSES[name])


def start_dns():
    start("dns", "dnsmasq", "--keep-in-foreground", "--user=root", "--pid-file=", "--conf-file=/dev/null",
          "--no-resolv", "--no-hosts", "--local=/test/", "--local-ttl=1", f"--addn-hosts={RECORDS}")


def publish(names):
    """Changes the records of the name to those of these servers."""
    addresses = [address.strip("[]") for name in names for address in ADDRESSES[name]]
    # dnsmasq must never read a half-written file.
    new = RECORDS.with_suffix(".new")
    new.write_text("".join(f"{address} {NAME}\n" for address in addresses))
    new.rename(RECORDS)
    if "dns" in processes:
        processes["dns"].send_signal(signal.SIGHUP)


def calls(client, name):
    return sum(client.calls(address) for address in ADDRESSES[name])


def wait_until_called(client, name, seconds=60):
    """Waits until the client calls a server that has not been called for a second."""
    client.refresh()
    before = calls(client, name)
    return wait(f"{name} is called", seconds, lambda: calls(client, name) > before)


def wait_until_left(client, name):
    """Waits until a server has got no call for two reports of the client, which are one a second."""
    seen = [(time.monotonic(), calls(client, name))]

    def is_left():
        now = calls(client, name)
        if now != seen[0][1]:
            seen[0] = (time.monotonic(), now)
        return time.monotonic() - seen[0][0] > 2.5

    return wait(f"{name} is not called any more", 60, is_left)


def main():
    network.make_network(HOSTS)
    resolver = WORK / "resolv.conf"
    resolver.write_text(f"nameserver 10.77.0.{HOSTS['dns']}\n")
    network.run("mount", "--bind", str(resolver), "/etc/resolv.conf")
    listed = ["order1", "order2", "order3"]
    for name in listed:
        start_server(name)
    publish(listed)
    start_dns()
    client = network.Client(f"dns:///{NAME}:12345")
    for name in listed:
        wait(f"{name} has calls", 60, lambda: calls(client, name) > 0)
    spare = "order4"
    for number in range(ROUNDS):
        # One is added, and the oldest one is removed and then ended.
        start_server(spare)
        listed.append(spare)
        publish(listed)
        took = wait_until_called(client, spare)
        gone = listed.pop(0)
        publish(listed)
        left = wait_until_left(client, gone)
        processes[gone].send_signal(signal.SIGTERM)
        processes[gone].wait(timeout=60)
        print(f"{number + 1}: {spare} added and called after {took:.1f} s; {gone} removed, left after "
              f"{left:.1f} s, and ended; {client.last['succeeded']} calls, {client.last['failed']} failed",
              flush=True)
        spare = gone
    print("dnsmasq is killed for 10 s; meanwhile a server is restarted", flush=True)
    processes["dns"].kill()
    processes["dns"].wait()
    begin = time.monotonic()
    last = listed[-1]
    processes[last].send_signal(signal.SIGTERM)
    processes[last].wait(timeout=60)
    start_server(last)
    back = wait_until_called(client, last)
    print(f"{last} is called again after {back:.1f} s", flush=True)
    time.sleep(max(0, begin + 10 - time.monotonic()))
    if not client.last["resolution_failures"]:
        network.failures.append("no lookup has failed while dnsmasq was away")
    start_dns()
    start_server(spare)
    listed.append(spare)
    publish(listed)
    took = wait_until_called(client, spare, seconds=120)
    print(f"dnsmasq is back; {spare}, which was added, is called after {took:.1f} s", flush=True)
    total = client.end()
    return network.finish(
        f"{total['succeeded']} calls at {RATE}/s, none failed, {ROUNDS} servers added and removed, "
        f"{total['resolutions']} lookups and {total['resolution_failures']} that failed, retries "
        f"{total['retries']}, slowest call {total['slowest_ms']} ms")


sys.exit(network.main(main))
