"""From rounds to figures: medians, least and most, ratios to C of the same round, noise."""

from statistics import median

# A round in which the C reference itself is this far from its median says little.
NOISY = 0.2


def summarize(rows):
    """Adds to each row: median, least and most of each figure; of_c; noisy rounds."""
    reference = {row["case"]: row for row in rows if row["name"] == "C"}
    for row in rows:
        good = [r for r in row["rounds"] if "error" not in r]
        row["errors"] = sorted({r["error"] for r in row["rounds"] if "error" in r})
        row["figures"] = {}
        if not good:
            continue
        for key, value in good[0].items():
            if isinstance(value, (int, float)):
                values = [r[key] for r in good]
                row["figures"][key] = [median(values), min(values), max(values)]
        c = reference.get(row["case"])
        row["noisy"] = _noisy(c) if c else []
        for key in ("calls_per_second", "server_cpu_us", "bytes_per_second", "p99_us"):
            ratios = [r[key] / k[key] for r, k in zip(row["rounds"], c["rounds"] if c else [])
                      if key in r and k.get(key)]
            if ratios:
                row.setdefault("of_c", {})[key] = [median(ratios), min(ratios), max(ratios)]
    return rows


def _noisy(c):
    rates = [r.get("calls_per_second", 0) for r in c["rounds"]]
    middle = median(rates) if rates else 0
    return [i + 1 for i, rate in enumerate(rates)
            if middle and abs(rate - middle) / middle > NOISY]


def table(part, rows):
    """Lines for the terminal."""
    lines = [f"\n{part}", f"{'':<44}{'calls/s':>12}{'least':>11}{'most':>11}{'of C':>7}"
             f"{'CPU us':>9}{'of C':>7}{'p50 us':>9}{'p99 us':>10}{'p99.9':>10}"]
    for row in rows:
        label = f"{row['case']:<24} {row['name']}"[:43]
        figures = row.get("figures", {})
        if "bytes_each" in figures:
            lines.append(f"{label:<44}{figures['bytes_each'][0]:>12.0f} bytes each")
            continue
        if "calls_per_second" not in figures:
            lines.append(f"{label:<44}  failed: {'; '.join(row['errors'])[:90]}")
            continue
        calls, of_c = figures["calls_per_second"], row.get("of_c", {})
        ratio = lambda key: f"{of_c[key][0]:.2f}" if key in of_c else ""
        mark = f"  noisy rounds: {row['noisy']}" if row.get("noisy") else ""
        lines.append(
            f"{label:<44}{calls[0]:>12.0f}{calls[1]:>11.0f}{calls[2]:>11.0f}"
            f"{ratio('calls_per_second'):>7}{figures['server_cpu_us'][0]:>9.3f}"
            f"{ratio('server_cpu_us'):>7}{figures['p50_us'][0]:>9.1f}{figures['p99_us'][0]:>10.1f}"
            f"{figures['p999_us'][0]:>10.1f}{mark}")
    return "\n".join(lines)
