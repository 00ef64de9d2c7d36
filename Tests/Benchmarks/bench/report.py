"""Writes one self-contained HTML file: bars for each case, and latency by percentile."""

import html
import io

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from hdrh.histogram import HdrHistogram  # noqa: E402

import figures  # noqa: E402
from summary import TITLES  # noqa: E402

COLOURS = {"C": "#777777", "C++": "#b08040", "gRPC": "#4080c0", "Cap'n Proto": "#8060a0",
           "Thrift": "#60a060"}
STYLE = """body { font: 15px/1.5 system-ui, sans-serif; max-width: 1350px; margin: 2em auto;
padding: 0 1em; color: #222 } table { border-collapse: collapse; margin: 1em 0 }
td, th { padding: 2px 10px; text-align: right; border-bottom: 1px solid #ddd }
td:nth-child(1), td:nth-child(2), th:nth-child(1) { text-align: left } svg { max-width: 100% }
td { white-space: nowrap }
.aims td, .aims th { text-align: left; white-space: normal } .note { color: #a04000; font-size: 85% }"""


def write_html(results, verdicts, path):
    body = ["<h1>Rocket beside its peers</h1>", _aims(verdicts)]
    for part, content in results["parts"].items():
        body.append(f"<h2>{html.escape(TITLES.get(part, part))}</h2>")
        body.append(_machine(content))
        body += _plots(part, content["rows"])
        body.append(_table(content["rows"]))
    with open(path, "w") as file:
        file.write("<!doctype html><html lang=en><meta charset=utf-8><title>Rocket: benchmark"
                   f"</title><style>{STYLE}</style>{''.join(body)}</html>\n")


def _aims(verdicts):
    rows = ["<tr><td>" + "<td>".join(html.escape(text) for text in
                                     (v.aim, v.text, v.word, v.figure, v.rest)) for v in verdicts]
    return ("<table class=aims><tr><th><th>aim<th><th>figure<th>what the distance consists of"
            + "".join(rows) + "</table>")


def _machine(content):
    m = content["machine"]
    packages = ", ".join(f"{k} {v}" for k, v in m["packages"].items() if v)
    missing = f" Not measured: {', '.join(content['missing'])}." if content["missing"] else ""
    return (f"<p>{html.escape(m['date'])}: {html.escape(m['cpu'])}, {m['cores']} cores, Linux "
            f"{html.escape(m['kernel'])}, {html.escape(m['swift'])}, {html.escape(packages)}. "
            f"Commit {html.escape(m['rocket'])}. Medians of {len(content['rows'][0]['rounds'])}"
            f" rounds.{html.escape(missing)}</p>")


def _svg(figure):
    text = io.StringIO()
    figure.savefig(text, format="svg", bbox_inches="tight")
    plt.close(figure)
    content = text.getvalue()
    return content[content.index("<svg"):]


def _colour(name):
    return COLOURS.get(name, "#d05030" if "async" in name or "slow" in name else "#f09050")


def _plots(part, rows):
    key, label = {"idle": ("bytes_each", "bytes each"), "payload": (
        "bytes_per_second", "bytes/s, both ways")}.get(part, ("calls_per_second", "calls/s"))
    if part == "counts":
        return []
    cases = list(dict.fromkeys(row["case"] for row in rows))
    figure, axes = plt.subplots(1, len(cases), figsize=(2.6 * len(cases) + 2, 3.2), squeeze=False)
    for axis, case in zip(axes[0], cases):
        shown = [r for r in rows if r["case"] == case and key in r.get("figures", {})]
        values = [r["figures"][key] for r in shown]
        axis.bar(range(len(shown)), [v[0] for v in values],
                 color=[_colour(r["name"]) for r in shown],
                 yerr=[[v[0] - v[1] for v in values], [v[2] - v[0] for v in values]], capsize=2)
        axis.set_xticks(range(len(shown)), [r["name"] for r in shown], rotation=60, ha="right",
                        fontsize=7)
        axis.set_title(case, fontsize=9)
        axis.tick_params(axis="y", labelsize=7)
    axes[0][0].set_ylabel(label, fontsize=8)
    plots = [_svg(figure)]
    if part in ("closed", "client", "open"):
        plots.append(_latencies(rows, cases))
    return plots


def _latencies(rows, cases):
    """Plots latency by percentile, like HDR histograms, over all rounds together."""
    figure, axes = plt.subplots((len(cases) + 3) // 4, min(4, len(cases)),
                                figsize=(13, 3 * ((len(cases) + 3) // 4)), squeeze=False)
    for axis, case in zip(axes.flat, cases):
        for row in (r for r in rows if r["case"] == case):
            histogram = HdrHistogram(1, 60_000_000_000, 3)
            for found in row["rounds"]:
                for value, count in found.get("histogram_ns", []):
                    histogram.record_value(max(1, int(value)), int(count))
            if histogram.get_total_count() == 0:
                continue
            steps = [i / 10 for i in range(1, 25)] + [i / 5 for i in range(13, 21)]
            shares = [1 - 10 ** -s for s in steps if 10 ** s <= histogram.get_total_count()]
            axis.plot([1 / (1 - s) for s in shares],
                      [histogram.get_value_at_percentile(s * 100) / 1000 for s in shares],
                      label=row["name"], color=_colour(row["name"]), linewidth=1.2)
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xticks([2, 10, 100, 1000, 10000], ["50%", "90%", "99%", "99.9%", "99.99%"],
                        fontsize=7)
        axis.tick_params(axis="y", labelsize=7)
        axis.grid(True, which="major", alpha=0.3)
        axis.set_title(case + ": latency, us", fontsize=9)
    for axis in list(axes.flat)[len(cases):]:
        axis.remove()
    axes.flat[0].legend(fontsize=6)
    figure.tight_layout()
    return _svg(figure)


def _table(rows):
    lines = ["<table><tr><th>case<th>server<th>" + "<th>".join(figures.HEAD) + "<th>"]
    for row in rows:
        cells = [html.escape(row["case"]), html.escape(row["name"])]
        cells += figures.cells(row) or [f"<span>{figures.special(row)}</span>"]
        cells.append(f"<span class=note>{html.escape('; '.join(figures.notes(row)))}</span>")
        lines.append("<tr><td>" + "<td>".join(cells))
    return "\n".join(lines) + "</table>"
