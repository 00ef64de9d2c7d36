"""Formats the results as Markdown, for the section of docs/performance.md between its two marks."""

import figures

BEGIN, END = "<!-- from here on by make bench PUBLISH=1 -->", "<!-- to here -->"
TITLES = {"closed": "Closed loop: connections x calls in flight", "client": "Clients, one connection",
          "open": "Open loop at fixed rates", "payload": "Payloads",
          "idle": "Memory of idle connections", "threads": "io_threads",
          "start": "Start of order_server", "counts": "Counts per call, by callgrind"}


def markdown(results, verdicts) -> str:
    lines = ["## Aims", "", "| | aim | | figure | what the distance consists of |",
             "|---|---|---|---|---|"]
    lines += [f"| {v.aim} | {v.text} | {v.word} | {v.figure} | {v.rest} |" for v in verdicts]
    machines = {_machine(content["machine"]) for content in results["parts"].values()}
    lines += ["", "Ratios are medians of the ratios within each round, followed by minimum and"
              " maximum.", "",
              "## The last run", "", *sorted(machines)]
    for part, content in results["parts"].items():
        lines += ["", f"### {TITLES.get(part, part)}", "", _where(content), ""]
        lines += {"idle": _idle, "start": _start, "counts": _counts}.get(part, _calls)(content["rows"])
    return "\n".join(lines) + "\n"


def publish(text, path):
    """Replaces the section of the document between the marks by the new figures."""
    with open(path) as file:
        document = file.read()
    head, found, rest = document.partition(BEGIN)
    tail = rest.partition(END)[2]
    if not found or END not in rest:
        raise SystemExit(f"bench: {path} lacks its marks {BEGIN} and {END}")
    with open(path, "w") as file:
        file.write(f"{head}{BEGIN}\n\n{text}\n{END}{tail}")


def _machine(m):
    packages = ", ".join(f"{name} {version}" for name, version in m["packages"].items() if version)
    return f"{m['cpu']}, {m['cores']} cores, Linux {m['kernel']}; {m['swift']}; {m['gcc']}; {packages}."


def _where(content):
    m = content["machine"]
    text = f"{m['date']}, commit {m['rocket']}"
    if "rounds" in content["rows"][0] and "calls_per_second" in content["rows"][0]["figures"]:
        text += f", {len(content['rows'][0]['rounds'])} rounds"
    return text + "." + (f" Not measured: {', '.join(content['missing'])}." if content["missing"]
                         else "")


def _idle(rows):
    lines = ["| connections | server | bytes each |", "|---|---|---|"]
    return lines + [f"| {r['case']} | {r['name']} | {r['figures']['bytes_each'][0]:,.0f} |"
                    if r["figures"] else f"| {r['case']} | {r['name']} | {_notes(r)} |" for r in rows]


def _start(rows):
    lines = ["| program | ms (least, most) | ms of CPU | page faults |", "|---|---|---|---|"]
    for row in rows:
        if not row["figures"]:
            lines.append(f"| {row['name']} | {_notes(row)} |")
            continue
        ready, cpu, faults = (row["figures"][key]
                              for key in ("ready_ms", "cpu_ms", "page_faults"))
        lines.append(f"| {row['name']} | {ready[0]:.1f} ({ready[1]:.1f}, {ready[2]:.1f}) |"
                     f" {cpu[0]:.1f} | {faults[0]:,.0f} |")
    return lines


def _counts(rows):
    keys = [key for key in figures.COUNTS if any(key in r["figures"] for r in rows)]
    lines = ["| path | " + " | ".join(key.replace("_", " ") for key in keys) + " |",
             "|---" * (1 + len(keys)) + "|"]
    for row in rows:
        values = [f"{row['figures'][key][0]:z,.{0 if key == 'instructions' else 2}f}" for key in keys
                  if key in row["figures"]]
        lines.append(f"| {row['name']} | {' | '.join(values) or _notes(row)} |")
    return lines


def _calls(rows):
    size = any("bytes_per_second" in row["figures"] for row in rows)
    head = ("case", "server", "calls/s (min, max)", "of C", *(("MB/s",) if size else ()),
            "server CPU µs", "of C", "client CPU µs", "p50 µs", "p99 µs", "p99.9 µs", "")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        values = figures.cells(row)
        if not values:
            lines.append(f"| {row['case']} | {row['name']} | {_notes(row)} |")
            continue
        calls, least, most, *rest = values
        rest[1:1] = [f"{row['figures']['bytes_per_second'][0] / 1e6:,.0f}"] if size else []
        lines.append(f"| {row['case']} | {row['name']} | {calls} ({least}, {most}) |"
                     f" {' | '.join(rest)} | {_notes(row)} |")
    return lines


def _notes(row):
    return "; ".join(figures.notes(row))
