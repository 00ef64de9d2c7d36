"""Measures all parts, or those named by PART, and writes tables, JSON and Markdown; see run.sh."""

import json
import os
import sys
import time

import peers as known_peers  # first: it makes bench's modules known
import measurements
import tables
import verdicts
from aims import lines
from bench import machine, read
from figures import summarize


def main():
    binaries, out, python = sys.argv[1:4]
    quick = os.environ.get("QUICK", "") not in ("", "0")
    plan = measurements.Plan(quick, int(os.environ.get("ROUNDS") or 0),
                             float(os.environ.get("SECONDS_EACH") or 0))
    named = [part for part in os.environ.get("PART", "").split(",") if part]
    for part in named:
        if part not in measurements.ALL:
            sys.exit(f"bench-grpc: unknown part {part}; the parts are {', '.join(measurements.ALL)}")
    selected = named or [part for part in measurements.ALL
                         if not (quick and part in measurements.SLOW_PARTS)]
    path = os.path.join(out, "results.json")
    results = read(path) if named else {"parts": {}}
    peers = known_peers.Peers(binaries, out, python)
    begin = time.monotonic()

    def progress(text):
        print(f"\r\033[K[{time.monotonic() - begin:4.0f} s] {text}", end="", file=sys.stderr, flush=True)

    for part in selected:
        rows = summarize(measurements.ALL[part](peers, plan, progress))
        print("\r\033[K", end="", file=sys.stderr)
        print(tables.terminal(part, rows), flush=True)
        results["parts"][part] = {"rows": rows, "seconds": plan.seconds, "machine": machine(),
                                  "missing": peers.missing}
        with open(path, "w") as file:
            json.dump(results, file)
    results["parts"] = {p: results["parts"][p] for p in measurements.ALL if p in results["parts"]}
    found = verdicts.judge(results)
    print("\n".join(lines(found)), end="\n\n")
    if peers.missing:
        print(f"not measured: {', '.join(peers.missing)}")
    with open(os.path.join(out, "results.md"), "w") as file:
        file.write(tables.markdown(results, found))
    print(f"{path}, {os.path.join(out, 'results.md')}, {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
