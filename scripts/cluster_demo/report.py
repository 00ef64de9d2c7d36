"""Progress while the demo runs, and its results at the end: for people, or as JSON."""

import json
import os
import sys
import time


class Report:
    """Lines of progress on standard error if the result is JSON, otherwise on standard output."""

    def __init__(self, is_json):
        self.is_json = is_json
        self.output = sys.stderr if is_json else sys.stdout
        self.colours = self.output.isatty() and not os.environ.get("NO_COLOR")
        self.begin = time.monotonic()
        self.parts = {}

    def step(self, text):
        self.line(f"{time.monotonic() - self.begin:6.1f} s  {text}")

    def line(self, text, colour=None):
        if colour and self.colours:
            text = f"\x1b[{colour}m{text}\x1b[0m"
        print(text, file=self.output, flush=True)

    def part(self, name, rows, checks):
        """The result of a part: rows of a table, and what had to be true, as (text, bool)."""
        self.parts[name] = {
            "phases": rows, "checks": [{"check": text, "ok": bool(ok)} for text, ok in checks]}
        self.line("")
        self.line(f"== {name}", "1")
        for line in table(rows):
            self.line(line)
        for text, ok in checks:
            self.line(f"{'ok' if ok else 'FAILED'}: {text}", "32" if ok else "31")

    @property
    def is_ok(self):
        return all(check["ok"] for part in self.parts.values() for check in part["checks"])

    def end(self):
        """Prints the result. Returns the exit status."""
        seconds = round(time.monotonic() - self.begin, 1)
        if self.is_json:
            print(json.dumps({"ok": self.is_ok, "seconds": seconds, **self.parts}))
        else:
            self.line("")
            self.line(f"{'ok' if self.is_ok else 'FAILED'}: {seconds} s in all",
                      "32" if self.is_ok else "31")
        return 0 if self.is_ok else 1


def table(rows):
    """The lines of a table; the keys of the rows are its columns. Numbers are at the right."""
    columns = list(rows[0]) if rows else []
    texts = [columns] + [[text(row[column]) for column in columns] for row in rows]
    widths = [max(len(row[index]) for row in texts) for index in range(len(columns))]
    for number, row in enumerate(texts):
        yield "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths))).rstrip()


def text(value):
    return f"{value:.2f}" if isinstance(value, float) else str(value)
