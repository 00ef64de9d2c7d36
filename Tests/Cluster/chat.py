"""Three NATS, three chat servers of one room, and their members on one host, each in its own network
namespace; see run.sh. What a member must have received, cluster_chat checks.

Prints what was done, and at the end one line `ok:` or `FAILED:` with the figures."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading

import network
from network import BIN, WORK, failures, output, processes, run, start, wait

MEMBERS = int(os.environ.get("MEMBERS", "1000"))
MESSAGES = int(os.environ.get("MESSAGES", "200"))
ROUNDS = int(os.environ.get("CHAT_ROUNDS", "1"))
SEED = int(os.environ.get("SEED") or random.randrange(1 << 32))
NATS_SERVER = shutil.which("nats-server", path=os.environ["PATH"] + ":/usr/sbin")
# Seconds after which something hangs. Nothing else depends on the time: faults last for so many messages.
HANGS = 300
HOSTS = {"nats1": 1, "nats2": 2, "nats3": 3, "chat1": 11, "chat2": 12, "chat3": 13, "client": 50}
ADDRESS = {name: f"10.77.0.{number}" for name, number in HOSTS.items()}
NATS = [name for name in HOSTS if name.startswith("nats")]
CHATS = [name for name in HOSTS if name.startswith("chat")]
# Two of them have one name: the one that began later has to take another.
NAMES = {"chat1": "alpha", "chat2": "beta", "chat3": "beta"}
# No server of NATS is one of all three: messages always pass from one to another.
BACKPLANES = {"chat1": ["nats1", "nats2"], "chat2": ["nats2", "nats3"], "chat3": ["nats3", "nats1"]}


def start_nats(name):
    routes = ", ".join(f'"nats://{ADDRESS[other]}:6222"' for other in NATS if other != name)
    config = WORK / f"{name}.conf"
    config.write_text(f"""server_name: {name}
listen: "{ADDRESS[name]}:4222"
write_deadline: "2s"
ping_interval: "1s"
ping_max: 2
lame_duck_grace_period: "500ms"
lame_duck_duration: "30s"
cluster {{ name: chat, listen: "{ADDRESS[name]}:6222", no_advertise: true, routes: [ {routes} ] }}
""")
    start(name, NATS_SERVER, "-c", str(config))


def start_chat(name):
    folder = WORK / name
    folder.mkdir(exist_ok=True)
    servers = ",".join(f"{ADDRESS[nats]}:4222" for nats in BACKPLANES[name])
    (folder / "chat.xml").write_text(f"""<?xml version="1.0"?>
<root>
  <log><log_level>INFO</log_level><log_file_path>log</log_file_path></log>
  <server><listen>{ADDRESS[name]}:9999</listen><io_threads>2</io_threads></server>
  <chat>
    <backplane>nats://{servers}</backplane><server_name>{NAMES[name]}</server_name>
    <messages_per_second>0</messages_per_second><queue_bytes>1073741824</queue_bytes>
    <write_timeout_ms>600000</write_timeout_ms>
  </chat>
</root>
""")
    start(name, str(BIN / "chat_server"), "chat.xml", cwd=folder)


def log(name):
    return "".join(file.read_text() for file in (WORK / name).glob("log/*"))


def knows_others(name):
    return log(name).count("another chat server was heard of") >= len(CHATS) - 1


class Members:
    """A cluster_chat on the host `client`. `last` is what it printed last, four times a second."""

    def __init__(self):
        self.last = {"phase": "joining", "said": [0] * len(CHATS), "received": 0, "declared": 0,
                     "lost_notices": 0, "back_notices": 0, "problems": []}
        self.process = start(
            "client", os.environ["CLUSTER_CHAT"], str(MEMBERS), str(MESSAGES), str(SEED),
            *(f"{ADDRESS[name]}:9999" for name in CHATS),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        wait("all members have joined", HANGS, lambda: self.fails() or self.last["phase"] == "talking")

    def read(self):
        for line in self.process.stdout:
            self.last = json.loads(line)

    def fails(self):
        return bool(self.last["problems"]) or self.process.poll() is not None

    def go_on(self, seconds):
        """Returns when as many more messages were said as are said in so many seconds."""
        most = sum(self.last["said"]) + seconds * MESSAGES
        wait("messages are said", HANGS, lambda: self.fails() or sum(self.last["said"]) >= most)

    def reach_others(self):
        """Returns when members of each server have received what is said now on each other one."""
        said = self.last["said"]
        wait("servers reach each other", HANGS, lambda: self.fails() or all(
            count > said[server] or server == other
            for server, counts in enumerate(self.last["reached"])
            for other, count in enumerate(counts)))

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(timeout=HANGS + 120)
        self.reader.join()
        if status != 0:
            failures.append(f"cluster_chat: status {status}: {self.last['problems']}")
        return self.last


def cut(name, others):
    """Frames between the hosts get lost: each sends them to an address of Ethernet that nobody has."""
    for other in others:
        for near, far in ((name, other), (other, name)):
            run("ip", "-n", near, "neigh", "replace", ADDRESS[far], "lladdr", "02:00:00:00:00:01",
                "nud", "permanent", "dev", "eth0")


def join(name, others):
    for other in others:
        for near, far in ((name, other), (other, name)):
            run("ip", "-n", near, "neigh", "del", ADDRESS[far], "dev", "eth0")


def used(randomness):
    """A server of NATS that a chat server is connected to."""
    found = [nats for nats in NATS if output(
        "ip", "netns", "exec", nats, "ss", "-tnH", "state", "established", "sport", "=", ":4222")]
    return randomness.choice(found or NATS)


def kill(names):
    for name in names:
        processes[name].kill()
        processes[name].wait()


# Each does something wrong, and returns what undoes it.

def kill_one(randomness):
    name = used(randomness)
    kill([name])
    return f"{name} is killed", lambda: start_nats(name)


def kill_all(randomness):
    kill(NATS)
    return "all NATS are killed", lambda: [start_nats(name) for name in NATS]


def stop_one(randomness):
    name = used(randomness)
    processes[name].send_signal(signal.SIGSTOP)
    return f"{name} is stopped", lambda: processes[name].send_signal(signal.SIGCONT)


def cut_chat(randomness):
    name = randomness.choice(CHATS)
    cut(name, NATS)
    return f"{name} is cut off from NATS", lambda: join(name, NATS)


def cut_routes(randomness):
    name = used(randomness)
    others = [other for other in NATS if other != name]
    cut(name, others)
    return f"{name} is cut off from other NATS", lambda: join(name, others)


def cut_host(randomness):
    name = used(randomness)
    run("ip", "link", "set", f"v-{name}", "down")
    return f"{name} is cut off", lambda: run("ip", "link", "set", f"v-{name}", "up")


def retire(randomness):
    name = used(randomness)
    # nats-server handles SIGUSR2 as "lame duck mode".
    processes[name].send_signal(signal.SIGUSR2)
    return f"{name} shuts down", lambda: (kill([name]), start_nats(name))


# And for how many seconds of messages: 1 is shorter, and 8 is longer than the time after which a peer that
# does not answer counts as lost.
FAULTS = [(kill_one, 1), (kill_one, 4), (kill_all, 1), (kill_all, 4), (stop_one, 4), (cut_chat, 1),
          (cut_chat, 8), (cut_routes, 1), (cut_routes, 4), (cut_host, 4), (retire, 2)]


def main():
    print(f"SEED={SEED}", flush=True)
    network.make_network(HOSTS)
    for name in NATS:
        start_nats(name)
    for name in CHATS:
        start_chat(name)
    for name in CHATS:
        wait(f"{name} knows the others", HANGS, lambda: knows_others(name))
    renamed = [name for name in CHATS if "changes its own" in log(name)]
    if len(renamed) != 1 or renamed[0] == "chat1":
        failures.append(f"of two servers with one name these took others: {renamed}")
    members = Members()
    randomness = random.Random(SEED)
    for _ in range(ROUNDS):
        for fault, seconds in randomness.sample(FAULTS, len(FAULTS)):
            if members.fails():
                break
            before = members.last
            text, undo = fault(randomness)
            members.go_on(seconds)
            undo()
            members.reach_others()
            print(f"{text} for {seconds * MESSAGES} messages; {sum(members.last['said'])} said, "
                  f"{members.last['declared'] - before['declared']} more declared missing", flush=True)
            members.go_on(0.5)
    total = members.end()
    print(json.dumps(total))
    if total["declared"] == 0 or total["lost_notices"] == 0:
        failures.append("no message was declared missing, or no server said that others are lost")
    if total["lost_notices"] != total["back_notices"]:
        failures.append("members were told that others are lost, and not that they are back")
    return network.finish(
        f"{sum(total['said'])} messages of {len(CHATS) * MEMBERS} members, {ROUNDS * len(FAULTS)} faults, "
        f"{total['received']} deliveries, {total['declared']} declared missing, SEED={SEED}")


sys.exit(network.main(main))
