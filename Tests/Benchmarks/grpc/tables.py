"""The figures of a run as text for the terminal, and as Markdown."""

import figures

TITLES = {"calls": "Unary calls: connections x calls in flight",
          "streams": "Streams: messages of one stream",
          "idle": "Resident memory", "counts": "Counts per call and message, by callgrind"}
CALLS = ("calls/s", "server CPU us", "client CPU us", "server busy", "load busy", "p50 us", "p99 us")
MESSAGES = ("messages/s", "MB/s", *CALLS[1:])


def head(part):
    return {"calls": CALLS, "streams": MESSAGES, "idle": ("KiB each",)}.get(part, ("",))


def cells(part, row):
    """The figures of a row as text, in the order of its head."""
    values = {key: spread[0] for key, spread in row.get("figures", {}).items()}
    if "bytes_each" in values:
        return [f"{values['bytes_each'] / 1024:,.1f}"]
    if "calls_per_second" not in values:
        return [figures.special(row)] + [""] * (len(head(part)) - 1)
    found = [f"{values['calls_per_second']:,.0f}"]
    if part == "streams":
        found.append(f"{values['bytes_per_second'] / 1e6:,.1f}")
    found += [f"{values[key]:,.2f}" for key in ("server_cpu_us", "client_cpu_us")]
    found += [f"{values[key]:.0%}" for key in ("server_busy", "client_busy")]
    # Messages in one direction have no latency.
    return found + [f"{values[key]:,.0f}" if values["p50_us"] > 0 else "" for key in ("p50_us", "p99_us")]


def terminal(part, rows):
    case, name = (max(len(row[key]) for row in rows) + 2 for key in ("case", "name"))
    lines = [f"\n{TITLES[part]}", " " * (case + name) + "".join(f"{t:>15}" for t in head(part))]
    for row in rows:
        values = "".join(f"{value:>15}" for value in cells(part, row))
        lines.append(f"{row['case']:<{case}}{row['name']:<{name}}{values}  "
                     f"{'; '.join(figures.notes(row))}".rstrip())
    return "\n".join(lines)


def markdown(results, verdicts):
    lines = ["| | aim | | figure |", "|---|---|---|---|"]
    lines += [f"| {v.aim} | {v.text} | {v.word} | {v.figure} |" for v in verdicts]
    for part, content in results["parts"].items():
        machine, missing = content["machine"], content["missing"]
        lines += ["", f"### {TITLES[part]}", "",
                  f"{machine['date']}, {machine['cores']} cores, {machine['cpu']}, commit"
                  f" {machine['rocket']}; medians of {len(content['rows'][0]['rounds'])} rounds."
                  + (f" Not measured: {', '.join(missing)}." if missing else ""), ""]
        lines += ["| | | " + " | ".join(head(part)) + " | |",
                  "|---|---|" + "---:|" * len(head(part)) + "---|"]
        lines += [f"| {row['case']} | {row['name']} | " + " | ".join(cells(part, row))
                  + f" | {'; '.join(figures.notes(row))} |" for row in content["rows"]]
    return "\n".join(lines) + "\n"
