"""Measures all parts, or those that PART names, and writes table, JSON and HTML."""

import json
import os
import platform
import subprocess
import sys
import time

import parts
from figures import summarize, table
from summary import write_markdown
from report import write_html
from servers import Bench


def machine() -> dict:
    """Where the figures were taken."""
    def first(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0]
        except OSError:
            return ""
    with open("/proc/cpuinfo") as info:
        cpu = next((line.split(":")[1].strip() for line in info if "model name" in line), "?")
    packages = {}
    for package in ("libprotobuf-dev", "libgrpc++-dev", "libcapnp-dev", "libthrift-dev"):
        packages[package] = first("dpkg-query", "-W", "-f", "${Version}", package)
    return {"cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release(),
            "swift": first("swift", "--version"), "gcc": first("gcc", "--version"),
            "rocket": first("git", "rev-parse", "--short", "HEAD"), "packages": packages,
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def main() -> None:
    binaries, out = sys.argv[1:3]
    quick = os.environ.get("QUICK", "") not in ("", "0")
    plan = parts.Plan(quick, int(os.environ.get("ROUNDS", 0)),
                      float(os.environ.get("SECONDS_EACH", 0)))
    wanted = [p for p in os.environ.get("PART", "").split(",") if p] or list(parts.ALL)
    unknown = [p for p in wanted if p not in parts.ALL]
    if unknown:
        sys.exit(f"bench: there is no part {unknown[0]}; there are {', '.join(parts.ALL)}")
    path = os.path.join(out, "results.json")
    results = {"parts": {}}
    if len(wanted) < len(parts.ALL) and os.path.exists(path):
        with open(path) as file:
            results = json.load(file)
    bench = Bench(binaries, os.path.join(out, "programs"))
    begin = time.monotonic()

    def progress(text):
        print(f"\r\033[K[{time.monotonic() - begin:4.0f} s] {text}", end="", file=sys.stderr,
              flush=True)

    for part in wanted:
        rows = summarize(parts.ALL[part](bench, plan, progress))
        print("\r\033[K", end="", file=sys.stderr)
        print(table(part, rows), flush=True)
        results["parts"][part] = {"rows": rows, "rounds": plan.rounds, "seconds": plan.seconds,
                                  "machine": machine(), "missing": bench.missing}
        with open(path, "w") as file:
            json.dump(results, file)
    write_html(results, os.path.join(out, "report.html"))
    write_markdown(results, os.path.join(out, "results.md"))
    print(f"\n{path}\n{os.path.join(out, 'report.html')}")


if __name__ == "__main__":
    main()
