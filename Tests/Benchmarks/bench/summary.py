"""The figures as Markdown: what docs/performance.md holds."""


def write_markdown(results, path):
    lines = []
    for part, content in results["parts"].items():
        lines += [f"### {part}", "", _where(content), ""]
        lines += _idle(content["rows"]) if part == "idle" else _calls(part, content["rows"])
        lines.append("")
    with open(path, "w") as file:
        file.write("\n".join(lines))


def _where(content):
    m = content["machine"]
    text = f"{m['date']}, commit {m['rocket']}, {content['rounds']} rounds of {content['seconds']} s."
    if content["missing"]:
        text += f" Not measured: {', '.join(content['missing'])}."
    return text


def _idle(rows):
    lines = ["| connections | server | bytes each |", "|---|---|---|"]
    return lines + [f"| {r['case']} | {r['name']} | {r['figures']['bytes_each'][0]:,.0f} |"
                    for r in rows if "bytes_each" in r.get("figures", {})]


def _calls(part, rows):
    size = "MB/s | " if part == "payload" else ""
    lines = [f"| case | server | calls/s (least, most) | of C | {size}server CPU µs | of C | p50 µs |"
             " p99 µs | p99.9 µs |", "|---" * (9 if size else 8) + "|"]
    for row in rows:
        figures = row.get("figures", {})
        if "calls_per_second" not in figures:
            lines.append(f"| {row['case']} | {row['name']} | failed: {'; '.join(row['errors'])} |")
            continue
        calls, of_c = figures["calls_per_second"], row.get("of_c", {})
        ratio = lambda key: f"{of_c[key][0]:.2f}" if key in of_c else ""
        noisy = f" noisy: {row['noisy']}" if row.get("noisy") else ""
        size = f"{figures['bytes_per_second'][0] / 1e6:,.0f} | " if part == "payload" else ""
        lines.append(
            f"| {row['case']} | {row['name']} | {calls[0]:,.0f} ({calls[1]:,.0f}, {calls[2]:,.0f})"
            f"{noisy} | {ratio('calls_per_second')} | {size}{figures['server_cpu_us'][0]:.3f} |"
            f" {ratio('server_cpu_us')} | {figures['p50_us'][0]:,.1f} | {figures['p99_us'][0]:,.1f} |"
            f" {figures['p999_us'][0]:,.1f} |")
    return lines
