"""Runs the cases of bad_cases against a server and prints a line for each.

    bad_clients.py PORT [--slow] [CASE…]     exit status 1: one has failed
"""

import sys

import bad_cases
from raw import RST_STREAM, Connection, code_name

REFUSED_STREAM = 7
EMPTY = "/grpc.testing.TestService/EmptyCall"


def ends(peer, stream):
    """Waits for the end of what a case has done; its possible outcomes, the most exact one first."""
    found = peer.stream(stream)
    peer.wait(lambda: peer.goaways or found.is_over or found.reset is not None)
    outcomes = []
    if peer.goaways:
        outcomes.append("goaway " + code_name(peer.goaways[-1][1]))
        peer.wait(lambda: peer.is_closed)
        outcomes.append("closed" if peer.is_closed else "open after GOAWAY")
    elif peer.is_closed:
        outcomes.append("closed")
    elif found.is_over:
        if found.value(":status") != "200":
            outcomes.append("http " + str(found.value(":status")))
        outcomes.append("status " + str(found.value("grpc-status")))
    elif found.reset is not None:
        outcomes.append("reset " + code_name(found.reset))
    return outcomes or ["nothing"]


def goes_on(peer):
    """Whether a call on the same connection is answered."""
    if any(stream.reset == REFUSED_STREAM for stream in peer.streams.values()):
        # Room for one more.
        peer.frame(RST_STREAM, 0, 1, (8).to_bytes(4, "big"))
    number = max([601, *peer.streams]) + 2000 | 1
    return peer.call(EMPTY, stream=number).value("grpc-status") == "0"


def run(case, port):
    """What is wrong, or nothing."""
    with Connection(port, **case.options) as peer:
        case.function(peer)
        if "ignored" in case.expected:
            if goes_on(peer):
                return ""
            outcomes = ends(peer, case.stream)
        else:
            outcomes = ends(peer, case.stream)
        if not any(outcome in case.expected for outcome in outcomes):
            detail = peer.goaways[-1][2] if peer.goaways else peer.stream(case.stream).value(
                "grpc-message")
            return f"{', '.join(outcomes)} ({detail}), not {' or '.join(case.expected)}"
        if "open after GOAWAY" in outcomes:
            return "the connection is open after GOAWAY"
        if not peer.goaways and not peer.is_closed and not goes_on(peer):
            return f"{outcomes[0]}, but the connection does not go on"
    with Connection(port) as other:
        if not goes_on(other):
            return "the server does not answer others"
    return ""


def main():
    arguments = sys.argv[2:]
    slow = "--slow" in arguments
    names = [name for name in arguments if name != "--slow"]
    failed = 0
    chosen = [
        case for case in bad_cases.CASES
        if (case.name in names if names else slow or not case.is_slow)]
    for case in chosen:
        fault = run(case, int(sys.argv[1]))
        failed += bool(fault)
        print(f"{case.name}: {'FAILED: ' + fault if fault else 'passed'}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not chosen else 0)


if __name__ == "__main__":
    main()
