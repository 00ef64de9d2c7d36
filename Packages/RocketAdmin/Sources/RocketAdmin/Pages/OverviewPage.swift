import RocketBase
import RocketRPC
import RocketSystem

/// What the server does now: figures, a minute of lines, what needs attention, and the methods that
/// take the most time. A value.
struct OverviewPage {
    let view: AdminView

    var contents: PageContents {
        PageContents(live: live, json: json)
    }

    private var seconds: [RateHistory.Rates] { view.history.seconds }
    private var recent: RateHistory.Rates? { view.history.recent }

    private var live: HTML {
        """
        \(attention)<p class="note">Rates, latencies and shares are of the last 10 seconds, lines of the \
        last minute; counts and sizes are those of now.</p>
        <section class="cards" aria-label="Figures">
        \(calls)\(latency)\(failures)\(inFlight)\(connections)\(memory)\(processor)\(uptime)</section>
        <section><h2>Where the time goes <span class="count">last 10 s</span></h2>
        \(busiest.html(label: "Methods by time"))</section>

        """
    }

    // MARK: Cards

    private func card(
        _ title: String, _ value: String, _ details: [HTML], tone: Table.Tone = .plain,
        chart: HTML = ""
    ) -> HTML {
        let details = details.filter { !$0.isEmpty }.map { detail -> HTML in
            "<span>\(detail)</span>"
        }
        return """
            <div class="card"><h3>\(title)</h3><p class="value \(tone.rawValue)">\(value)</p>\
            <p class="details">\(details)</p>\(chart)</div>

            """
    }

    private func line(_ values: [Double?], _ what: String) -> HTML {
        if values.count < 2 { return "<p class=\"pending\">a line appears in a second</p>" }
        return Chart.sparkline(
            values, capacity: RateHistory.capacity - 1,
            label: "\(what), last \(values.count) seconds")
    }

    private var calls: HTML {
        let values = seconds.map(\.callsPerSecond)
        let now = recent.map { Quantity.number($0.callsPerSecond) } ?? "–"
        let total = view.server.methods.reduce(0) { $0 + $1.outcome.calls }
        let most: HTML = values.max().map { "best second \(Quantity.number($0))" } ?? ""
        return card(
            "Calls per second", now, [most, "\(Quantity.count(total)) in all"],
            chart: line(values, "calls per second"))
    }

    private var latency: HTML {
        let histogram = recent?.latency ?? RPCLatencyHistogram()
        let text = { (share: Double) in histogram.quantile(share).map(Quantity.duration) ?? "–" }
        let values = seconds.map { rates in
            rates.latency.quantile(0.99).map { Double($0.wholeNanoseconds) }
        }
        return card(
            "Latency of unary calls, p99", text(0.99),
            ["p50 \(text(0.5))", "p99.9 \(text(0.999))"],
            chart: line(values, "p99 of latency"))
    }

    private var failures: HTML {
        let values = seconds.map(\.failuresPerSecond)
        let total = view.server.methods.reduce(0) { $0 + $1.outcome.failures }
        let rate = recent?.failuresPerSecond ?? 0
        let calls = recent?.callsPerSecond ?? 0
        let share = calls > 0 ? rate / calls : 0
        return card(
            "Errors per second", recent.map { Quantity.number($0.failuresPerSecond) } ?? "–",
            ["\(Quantity.percent(share)) of calls", "\(Quantity.count(total)) in all"],
            tone: share > 0.01 ? .bad : .plain, chart: line(values, "errors per second"))
    }

    private var inFlight: HTML {
        let now = view.server.methods.reduce(0) { $0 + $1.inFlight }
        let values = view.history.inFlight.map { Optional(Double($0)) }
        let limit = view.server.limits.first { $0.name == "calls_in_flight" }
        let details: [HTML] = [
            limit?.highest.map { "max \(Quantity.count($0))" } ?? "",
            limit?.limit.map { "limit \(Quantity.count($0))" } ?? "",
        ]
        return card(
            "Calls in flight", Quantity.count(now), details, chart: line(values, "calls in flight"))
    }

    private var connections: HTML {
        let limit = view.server.limits.first { $0.name == "connections" }
        let most = limit?.limit ?? 0
        let share = most > 0 ? Double(view.server.connectionCount) / Double(most) : 0
        let moved = view.server.movedConnections
        return card(
            "Connections", Quantity.count(view.server.connectionCount),
            [
                most > 0 ? "limit \(Quantity.count(most))" : "",
                moved > 0 ? "moved \(Quantity.count(moved))" : "",
            ], chart: Chart.wideMeter(share))
    }

    private var memory: HTML {
        let budget = view.server.limits.first { $0.name == "memory_budget_bytes" }
        let (held, most) = (budget?.current ?? 0, budget?.limit ?? 0)
        let share = most > 0 ? Double(held) / Double(most) : 0
        let resident: HTML =
            view.process.residentBytes.map { "resident \(Quantity.bytes(UInt64($0)))" } ?? ""
        return card(
            "Memory of connections", Quantity.bytes(UInt64(max(0, held))),
            ["of \(Quantity.bytes(UInt64(max(0, most))))", resident], chart: Chart.wideMeter(share))
    }

    private var processor: HTML {
        let busiest = recent?.loopBusy.values.max() ?? 0
        return card(
            "Processors in use", recent.map { Quantity.number($0.processors) } ?? "–",
            ["busiest loop \(Quantity.percent(busiest))"], chart: Chart.wideMeter(busiest))
    }

    private var uptime: HTML {
        card(
            "Running for", Quantity.duration(view.server.age),
            ["since \(String(Quantity.moment(view.server.startedAt).dropLast(4))) UTC"])
    }

    // MARK: The rest

    private var attention: HTML {
        let findings = view.findings
        if findings.isEmpty { return "" }
        let items = findings.map { finding -> HTML in
            """
            <li class="\(finding.tone.rawValue)"><a href="\(finding.page.path)">\
            \(finding.page.title)</a> \(finding.text)</li>
            """
        }
        return """
            <section class="attention" aria-label="Needs attention"><h2>Needs attention</h2>
            <ul>\(items)</ul></section>

            """
    }

    /// The methods by the time that they take: calls per second times mean latency.
    private var busiest: Table {
        // Streams last as long as their two sides like.
        let streams = Set(view.server.methods.filter { $0.kind != .unary }.map(\.name))
        let rows = (recent?.methods ?? [:]).filter { !streams.contains($0.key) }.map {
            (name: $0.key, rates: $0.value, time: $0.value.latency.sum)
        }
        .filter { $0.rates.latency.count > 0 }
        .sorted { ($1.time, $0.name) < ($0.time, $1.name) }
        let all = rows.reduce(0.0) { $0 + Double($1.time.wholeNanoseconds) }
        return Table(
            id: "busiest",
            columns: [
                .text("method", "Method"),
                .number("time_share", "Time", "The method's share of the time of all calls."),
                .number("calls_per_second", "Calls/s"), .number("errors_per_second", "Errors/s"),
                .number("p50_seconds", "p50"), .number("p99_seconds", "p99"),
            ],
            rows: rows.prefix(8).map { row in
                [
                    .link(row.name, to: "/calls?method=\(row.name)"),
                    .portion(all > 0 ? Double(row.time.wholeNanoseconds) / all : 0),
                    .rate(row.rates.callsPerSecond), .rate(row.rates.failuresPerSecond),
                    row.rates.latency.quantile(0.5).map(Table.Cell.time) ?? .missing,
                    row.rates.latency.quantile(0.99).map(Table.Cell.time) ?? .missing,
                ]
            },
            empty: "No unary call has ended in the last 10 seconds.")
    }

    private var json: JSON {
        let histogram = recent?.latency ?? RPCLatencyHistogram()
        func quantile(_ share: Double, of latency: RPCLatencyHistogram) -> JSON {
            latency.quantile(share).map { Table.Cell.time($0).json } ?? .null
        }
        let budget = view.server.limits.first { $0.name == "memory_budget_bytes" }
        let window: JSON = recent.map { Table.Cell.time($0.time).json } ?? .null
        let attention: [JSON] = view.findings.map {
            .object(["page": .string($0.page.rawValue), "text": .string($0.text)])
        }
        return .object([
            "state": .string(view.server.state.rawValue),
            "age_seconds": Table.Cell.time(view.server.age).json,
            "window_seconds": window,
            "calls_per_second": JSON(recent?.callsPerSecond),
            "errors_per_second": JSON(recent?.failuresPerSecond),
            "p50_seconds": quantile(0.5, of: histogram),
            "p99_seconds": quantile(0.99, of: histogram),
            "p999_seconds": quantile(0.999, of: histogram),
            "in_flight": .integer(view.server.methods.reduce(0) { $0 + $1.inFlight }),
            "connections": .integer(view.server.connectionCount),
            "memory_bytes": JSON(budget?.current),
            "memory_budget_bytes": JSON(budget?.limit),
            "resident_bytes": JSON(view.process.residentBytes),
            "processors": JSON(recent?.processors),
            "attention": .array(attention),
            "seconds": .array(
                seconds.map { rates in
                    .object([
                        "calls_per_second": .number(rates.callsPerSecond),
                        "errors_per_second": .number(rates.failuresPerSecond),
                        "p99_seconds": quantile(0.99, of: rates.latency),
                    ])
                }),
        ])
    }
}

extension Chart {
    /// A meter as wide as a card.
    static func wideMeter(_ share: Double) -> HTML {
        let tone = share >= 0.9 ? "bad" : share >= 0.7 ? "warning" : "good"
        let width = Int((share.isFinite ? min(1, max(0, share)) : 0) * 1000)
        return """
            <svg class="wide" viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">\
            <rect class="track" width="1000" height="6"/>\
            <rect class="fill \(tone)" width="\(width)" height="6"/></svg>
            """
    }
}
