"""Counts the cache lines that the loops of a server share on a call's way.

A server with two loops and one connection at each: the thread of the first one runs instruction by
instruction while its connection makes calls, then that of the second one. A line of memory (64 bytes)
that both have written, or that one writes and the other one reads, would travel between two cores.
Stacks are left out. Also counts atomic instructions that change memory (lock, xchg).

    shared_lines.py BINARIES WORK_FOLDER [sync] [async]    says which lines, and who writes them
    shared_lines.py BINARIES WORK_FOLDER --check           fails if a synchronous call writes more
                                                           than MOST shared lines

WORK_FOLDER has step_thread (step_thread.c) and tinypb_load.
"""

import os
import re
import signal
import struct
import subprocess
import sys
from collections import Counter, defaultdict

import orders_load

CALLS, LINE = 64, 64
# A reference of a shared object that each call counts is two. A thread that runs like this writes 0.6
# to 2.1 of them, for the reports of slow callbacks, and once for all calls of a read.
MOST = 4
STEP = struct.Struct("<18Q")
REGISTERS = ("rip rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15").split()
OPERAND = re.compile(r"(?:%([a-z]s):)?(-?0x[0-9a-f]+|-?\d+)?\((%\w+)?(?:,(%\w+))?(?:,(\d))?\)"
                     r"|%fs:(0x[0-9a-f]+)")
# Instructions whose last operand is read only, or no memory at all.
READERS = re.compile(r"(cmp|test|bt|i?mul|i?div)[bwlq]?|v?u?comis[sd]|v?ptest|push.*|call.*|jmp.*")
NEITHER = ("lea", "nop", "prefetch", "endbr", "data16")
CHANGERS = ("add", "sub", "and", "or", "xor", "inc", "dec", "neg", "not", "xadd", "xchg", "cmpxchg",
            "adc", "sbb", "sh", "sar", "ro", "bts", "btr", "btc")


class Instruction:
    """Which memory an instruction uses, as parsed from its text."""

    def __init__(self, text: str):
        self.text = text
        prefix = re.match(r"((?:lock|rep|repz|repnz|notrack|cs|ds|data16|bnd) +)*", text)
        words = text[prefix.end():].split(None, 1)
        self.name, operands = words[0], words[1] if len(words) > 1 else ""
        operands = re.sub(r"#.*|<.*", "", operands).strip()
        self.is_locked = "lock" in prefix[0] or self.name.startswith("xchg") and "(" in operands
        parts = re.findall(r"(?:[^,(]|\([^)]*\))+", operands)
        self.reads, self.writes = [], []
        if self.name.startswith(NEITHER):
            return
        for index, part in enumerate(parts):
            found = OPERAND.search(part)
            if not found or part.lstrip().startswith("$"):
                continue
            is_last = index == len(parts) - 1
            if self.name.startswith("xchg") or is_last and not READERS.fullmatch(self.name):
                self.writes.append(found)
                if self.name.startswith(CHANGERS):
                    self.reads.append(found)
            else:
                self.reads.append(found)

    def address(self, operand, registers, next_ip):
        segment, displacement, base, index, scale, absolute = operand.groups()
        if absolute:
            return (registers["fs"] + int(absolute, 16)) & (1 << 64) - 1
        def value(name):
            if name is None:
                return 0
            return next_ip if name == "%rip" else registers.get(name[1:], 0)
        at = int(displacement or "0", 0) + value(base) + value(index) * int(scale or 1)
        if segment == "fs":
            at += registers["fs"]
        return at & (1 << 64) - 1


def disassemble(process: int, places: dict, work: str) -> dict:
    """Returns the instructions at these places, whose values are their lengths; 0: unknown."""
    code = os.path.join(work, "code.bin")
    order = sorted(places)
    with open(f"/proc/{process}/mem", "rb", 0) as memory, open(code, "wb") as out:
        for place in order:
            memory.seek(place)
            out.write(memory.read(places[place] or 15).ljust(32, b"\x90"))
    text = subprocess.run(["objdump", "-D", "-z", "-b", "binary", "-m", "i386:x86-64", "-w",
                           "--no-show-raw-insn", code], check=True, capture_output=True,
                          text=True).stdout
    found = {}
    for line in text.splitlines():
        match = re.match(r" *([0-9a-f]+):\s+(\S.*)", line)
        if match and int(match[1], 16) % 32 == 0:
            found[order[int(match[1], 16) // 32]] = Instruction(match[2].strip())
    return found


class Peer(orders_load.Peer):
    def message(self, reply):
        if self.replied not in (None, len(reply)):
            sys.exit(f"a wrong reply: {reply!r}")
        self.replied = len(reply)
        return reply

    replied = None


class Server:
    def __init__(self, binaries, handler, options=(), threads=2):
        self.process = subprocess.Popen(
            [os.path.join(binaries, "rocket_bench_server"), "--handler", handler, "--io-threads",
             str(threads), *options], stdout=subprocess.PIPE, text=True)
        self.address = re.search(r"listening on (\S+)", self.process.stdout.readline())[1]

    @property
    def id(self):
        return self.process.pid

    def thread(self, name):
        for thread in os.listdir(f"/proc/{self.id}/task"):
            with open(f"/proc/{self.id}/task/{thread}/comm") as file:
                if file.read().strip() == name:
                    return thread
        sys.exit(f"shared_lines: no thread {name}")

    def maps(self):
        with open(f"/proc/{self.id}/maps") as file:
            for line in file:
                parts = line.split()
                low, high = (int(x, 16) for x in parts[0].split("-"))
                yield low, high, int(parts[2], 16), parts[5] if len(parts) > 5 else ""

    def end(self):
        self.process.terminate()
        self.process.wait()


class Trace:
    """The memory that one loop has used for its calls."""

    def __init__(self, server, work, stepper, thread, peer, message):
        file = os.path.join(work, "steps")
        step = subprocess.Popen([stepper, thread, file], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
        if step.stdout.readline() != "stepping\n":
            sys.exit("shared_lines: the thread can't be traced")
        peer.calls("makeOrder", message, CALLS)
        step.stdin.close()
        peer.calls("makeOrder", message, 1)
        if step.wait() != 0:
            sys.exit("shared_lines: the trace has failed")
        with open(file, "rb") as data:
            steps = list(STEP.iter_unpack(data.read()))
        os.remove(file)
        lengths = {}
        for now, after in zip(steps, steps[1:]):
            length = after[0] - now[0]
            if 0 < length <= 15:
                lengths[now[0]] = min(lengths.get(now[0], 99) or 99, length)
            else:
                lengths.setdefault(now[0], 0)
        lengths.setdefault(steps[-1][0], 0)
        code = disassemble(server.id, lengths, work)
        stack = steps[0][5]
        low, high = next((low, high) for low, high, *_ in server.maps() if low <= stack < high)
        self.instructions, self.atomics = len(steps), 0
        self.written, self.read = defaultdict(Counter), defaultdict(Counter)
        caller = 0
        for step in steps:
            instruction = code.get(step[0])
            if instruction is None:
                continue
            if instruction.name.startswith("call"):
                caller = step[0]
            self.atomics += instruction.is_locked
            if not (instruction.reads or instruction.writes):
                continue
            registers = dict(zip(REGISTERS, step))
            registers["fs"] = step[17]
            for number in "8 9 10 11 12 13 14 15".split():
                registers[f"r{number}d"] = registers[f"r{number}"]
            for to, operands in (self.written, instruction.writes), (self.read, instruction.reads):
                for operand in operands:
                    at = instruction.address(operand, registers, step[0] + lengths[step[0]])
                    if not low <= at < high:
                        to[at // LINE][(step[0], caller)] += 1


def symbol(server, ip):
    found = subprocess.run(["gdb", "-batch", "-nx", "-ex", f"info symbol 0x{ip:x}", "-p",
                            str(server.id)], capture_output=True, text=True).stdout
    name = next((line.split(" ")[0] for line in found.splitlines() if " in section " in line), "?")
    return subprocess.run(["swift-demangle", "--simplified", "--compact", name],
                          capture_output=True, text=True).stdout.strip()


def describe(server, line, trace):
    """Says which functions use a line, and from where they were called last."""
    uses = [f"{count / CALLS:.2f}x {symbol(server, ip)} after a call in {symbol(server, caller)}"
            for (ip, caller), count in trace.written[line].most_common(3)]
    where = next((os.path.basename(path) or "memory" for low, high, _, path in server.maps()
                  if low <= line * LINE < high), "?")
    return f"    {line * LINE:x} in {where}: " + "; ".join(uses)


def measure(binaries, work, handler, options=(), show=False):
    server = Server(binaries, handler, options)
    try:
        message = b"\x08\x64" + orders_load.field(0x12, b"apple")
        peers = [Peer(server.address) for _ in range(2)]
        for peer in peers:
            peer.calls("makeOrder", message, 2000)
        traces = [Trace(server, work, os.path.join(work, "step_thread"),
                        server.thread(f"rocket-io-{index}"), peer, message)
                  for index, peer in enumerate(peers)]
        first, second = traces
        both = first.written.keys() & second.written.keys()
        one = (first.written.keys() & second.read.keys()
               | first.read.keys() & second.written.keys()) - both
        count = lambda lines: sum(sum(first.written[line].values()) for line in lines) / CALLS
        result = {"shared_writes": round(count(both), 3), "read_elsewhere": round(count(one), 3),
                  "atomics": round(first.atomics / CALLS, 3),
                  "instructions": round(first.instructions / CALLS, 1),
                  "instructions_of_second": round(second.instructions / CALLS, 1)}
        if show:
            print(f"{handler}: {result}")
            for line in sorted(both | one, key=lambda l: -sum(first.written[l].values())):
                print(describe(server, line, first))
        return result
    finally:
        server.end()


def futexes(binaries, work, threads):
    """Returns how often threads have waited for each other, or woken another one, per call under load:
    a lock that another thread holds, or a loop that another one wakes."""
    calls, file = 20000, os.path.join(work, "futexes")
    server = Server(binaries, "sync", threads=threads)
    try:
        trace = subprocess.Popen(["strace", "-f", "-c", "-e", "trace=futex", "-o", file, "-p",
                                  str(server.id)], stderr=subprocess.PIPE, text=True)
        attached = trace.stderr.readline()
        if "attached" not in attached:
            sys.exit(f"shared_lines: {attached}")
        subprocess.run([os.path.join(work, "tinypb_load"), "--to", server.address, "--connections",
                        str(4 * threads), "--in-flight", "32", "--calls", str(calls)], check=True,
                       stdout=subprocess.DEVNULL)
        trace.send_signal(signal.SIGINT)
        trace.wait()
    finally:
        server.end()
    with open(file) as counts:
        return sum(int(line.split()[3]) for line in counts if line.rstrip().endswith("futex")) / calls


if __name__ == "__main__":
    if len(sys.argv) < 3 or "--help" in sys.argv:
        print(__doc__)
        sys.exit(0 if "--help" in sys.argv else 2)
    if sys.argv[3:] == ["--check"]:
        found = measure(sys.argv[1], sys.argv[2], "sync")["shared_writes"]
        print(f"{found:.2f} writes per sync call to cache lines that loops share (at most {MOST})")
        sys.exit(found > MOST)
    for kind in sys.argv[3:] or ["sync", "async"]:
        measure(sys.argv[1], sys.argv[2], kind, show=True)
    for count in 2, 4:
        print(f"{count} io_threads: {futexes(sys.argv[1], sys.argv[2], count)} futex calls per call")
