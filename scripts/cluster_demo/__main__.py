"""Two clusters on this machine, with the files of conf/examples, and what happens when parts of them fail.

Engines and servers run in temporary folders, on addresses 127.A.B.N, with TLS between them. The demo ends
by itself after about a minute, with a table for each part; the exit status is 0 if nothing was lost that
was confirmed. Ctrl-C ends everything, and removes the folders."""

import argparse
import signal
import sys

import chat
import orders
from machines import Failed, Machines, program, rocket
from report import Report

PARTS = {"orders": orders, "chat": chat}


ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupted(*_):
    for end in ENDS:
        signal.signal(end, signal.SIG_IGN)
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(
        prog="cluster-demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Needs the engines (make deps-cluster) and the programs in bin/ (make all), or in the "
        "folder of ROCKET_BIN.\nRuns as any user; as root PostgreSQL runs as the user postgres.")
    parser.add_argument("part", nargs="*", metavar="orders|chat",
                        help="the parts to run; default: both")
    parser.add_argument("--json", action="store_true",
                        help="print the result as one line of JSON; progress goes to standard error")
    parser.add_argument("--short", action="store_true",
                        help="as short as possible: for tests")
    parser.add_argument("--keep", action="store_true",
                        help="keep the folder with configurations and logs")
    options = parser.parse_args()
    for part in options.part:
        if part not in PARTS:
            parser.error(f"there is no part {part}: orders, chat")
    report = Report(options.json)
    for end in ENDS:
        signal.signal(end, interrupted)
    parts = [PARTS[name] for name in options.part or PARTS]
    try:
        for part in parts:
            for name in part.ENGINES:
                program(name)
            for name in part.PROGRAMS:
                rocket(name)
        for part in parts:
            with Machines(options.keep) as machines:
                machines.make_authority()
                part.run(machines, report, options.short)
    except Failed as failure:
        print(f"cluster-demo: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("cluster-demo: ended by a signal; everything is removed", file=sys.stderr)
        return 130
    return report.end()


sys.exit(main())
