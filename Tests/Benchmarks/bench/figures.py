"""Computes figures from rounds: medians, minima, maxima, ratios within a round, noise."""

from statistics import median

# A round is noisy if the C reference itself deviates from its median by this much.
NOISY = 0.2
# A load client that uses this much of its core, while the server uses less, is the bottleneck: the
# server could do more than the row shows.
SATURATED = 0.97
COUNTS = ("instructions", "allocations", "retains", "system_calls", "reads", "writes", "epoll_ctl")


def summarize(rows):
    """Adds to each row: median, minimum and maximum of each figure; of_c; noisy rounds; errors."""
    reference = {row["case"]: row for row in rows if row["name"] == "C"}
    for row in rows:
        good = [r for r in row["rounds"] if "error" not in r]
        row["errors"] = sorted({r["error"] for r in row["rounds"] if "error" in r})
        row["figures"] = {}
        if not good:
            continue
        for key, value in good[0].items():
            if isinstance(value, (int, float)):
                row["figures"][key] = spread([r[key] for r in good])
        c = reference.get(row["case"])
        row["noisy"] = _noisy(c) if c else []
        for key in ("calls_per_second", "server_cpu_us", "bytes_per_second", "p99_us"):
            ratio = ratios(row, c, key)
            if ratio:
                row.setdefault("of_c", {})[key] = ratio
    return rows


def spread(values):
    return [median(values), min(values), max(values)]


def ratios(row, other, key):
    """Returns median, minimum and maximum of the ratios of row to other within a round, or None."""
    pairs = zip(row["rounds"], other["rounds"]) if row and other else []
    found = [r[key] / o[key] for r, o in pairs if key in r and o.get(key)]
    return spread(found) if found else None


def _noisy(c):
    rates = [r.get("calls_per_second", 0) for r in c["rounds"]]
    middle = median(rates) if rates else 0
    return [i + 1 for i, rate in enumerate(rates)
            if middle and abs(rate - middle) / middle > NOISY]


def notes(row):
    """Returns remarks on a row: noisy rounds, a saturated client, failures."""
    found = []
    if row.get("noisy"):
        found.append(f"noisy rounds: {', '.join(map(str, row['noisy']))}")
    busy = [row.get("figures", {}).get(f"{side}_busy", [0])[0] for side in ("client", "server")]
    if busy[0] > SATURATED > busy[1] and "calls/s" not in row["case"]:
        found.append(f"bound by its load client (server busy {busy[1]:.0%})")
    failed = len([r for r in row["rounds"] if "error" in r])
    if failed:
        found.append(f"{failed} rounds failed: {'; '.join(row['errors'])[:120]}")
    return found


HEAD = ("calls/s", "least", "most", "of C", "server CPU us", "of C", "client CPU us", "p50 us",
        "p99 us", "p99.9 us")


def cells(row):
    """Returns the figures of a row as text, in the order of HEAD; empty if it has none."""
    figures, of_c = row.get("figures", {}), row.get("of_c", {})
    if "calls_per_second" not in figures:
        return []
    ratio = lambda key: f"{of_c[key][0]:.2f}" if key in of_c else ""
    return [*(f"{value:,.0f}" for value in figures["calls_per_second"]), ratio("calls_per_second"),
            f"{figures['server_cpu_us'][0]:,.3f}", ratio("server_cpu_us"),
            f"{figures['client_cpu_us'][0]:,.3f}",
            *(f"{figures[key][0]:,.1f}" for key in ("p50_us", "p99_us", "p999_us"))]


def special(row):
    """Returns the text of a row without calls per second."""
    figures = row.get("figures", {})
    if "bytes_each" in figures:
        return f"{figures['bytes_each'][0]:,.0f} bytes each"
    if "ready_ms" in figures:
        return f"{figures['ready_ms'][0]:.1f} ms, {figures['page_faults'][0]:,.0f} page faults"
    if "instructions" in figures:
        return ", ".join(f"{figures[key][0]:z,.2f} {key.replace('_', ' ')}" for key in COUNTS
                         if key in figures)
    return ""


NARROW = ("calls/s", "least", "most", "of C", "srv us", "of C", "cli us", "p50 us", "p99 us",
          "p99.9 us")


def table(part, rows):
    """Returns lines for the terminal. srv us, cli us: processor time per call of server, client."""
    case, name = (max(len(row[key]) for row in rows) + 1 for key in ("case", "name"))
    lines = [f"\n{part}", " " * (case + name) + "".join(f"{text:>11}" for text in NARROW)]
    for row in rows:
        values = "".join(f"{value:>11}" for value in cells(row)) or "  " + special(row)
        lines.append(f"{row['case']:<{case}}{row['name']:<{name}}{values}  {'; '.join(notes(row))}"
                     .rstrip())
    return "\n".join(lines)
