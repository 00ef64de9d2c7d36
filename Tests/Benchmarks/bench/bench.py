"""Measures all parts, or those named by PART, and writes tables, JSON, Markdown and HTML."""

import json
import os
import platform
import subprocess
import sys
import time

import aims
import parts
from figures import summarize, table
from summary import markdown, publish
from servers import Bench


def machine() -> dict:
    """Describes this machine and its software."""
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


def read(path: str) -> dict:
    """Reads the results of earlier runs."""
    if not os.path.exists(path):
        return {"parts": {}}
    with open(path) as file:
        return json.load(file)


def main() -> None:
    binaries, out = sys.argv[1:3]
    quick = os.environ.get("QUICK", "") not in ("", "0")
    if quick and os.environ.get("PUBLISH"):
        sys.exit("bench: the times of a quick run are not reliable enough to be published")
    plan = parts.Plan(quick, int(os.environ.get("ROUNDS") or 0),
                      float(os.environ.get("SECONDS_EACH") or 0))
    named = [p for p in os.environ.get("PART", "").split(",") if p]
    selected = named or [p for p in parts.ALL if not (quick and p in parts.SLOW_PARTS)]
    unknown = [p for p in selected if p not in parts.ALL]
    if unknown:
        sys.exit(f"bench: unknown part {unknown[0]}; the parts are {', '.join(parts.ALL)}")
    path = os.path.join(out, "results.json")
    results = read(path) if named else {"parts": {}}
    bench = Bench(binaries, os.path.join(out, "programs"), os.environ.get("PEERS") != "0")
    begin = time.monotonic()

    def progress(text):
        print(f"\r\033[K[{time.monotonic() - begin:4.0f} s] {text}", end="", file=sys.stderr,
              flush=True)

    for part in selected:
        rows = summarize(parts.ALL[part](bench, plan, progress))
        print("\r\033[K", end="", file=sys.stderr)
        print(table(part, rows), flush=True)
        results["parts"][part] = {"rows": rows, "seconds": plan.seconds, "machine": machine(),
                                  "missing": bench.missing}
        with open(path, "w") as file:
            json.dump(results, file)
    write(results, out)
    print(f"\n{time.monotonic() - begin:.0f} s")


def write(results, out) -> None:
    """Prints the aims, and writes all results as Markdown and HTML."""
    from report import write_html  # after the measurements, since it loads large libraries
    results["parts"] = {p: results["parts"][p] for p in parts.ALL if p in results["parts"]}
    verdicts = aims.judge(results)
    print("\n".join(aims.lines(verdicts)), end="\n\n")
    text = markdown(results, verdicts)
    with open(os.path.join(out, "results.md"), "w") as file:
        file.write(text)
    write_html(results, verdicts, os.path.join(out, "report.html"))
    for name in ("results.json", "results.md", "report.html"):
        print(os.path.join(out, name))
    if os.environ.get("PUBLISH"):
        document = os.path.join(os.path.dirname(__file__), *[os.pardir] * 3, "docs",
                                "performance.md")
        publish(text, document)
        print(os.path.normpath(document))


if __name__ == "__main__":
    main()
