import RocketProgram

extension LoadSearchReport {
    /// The result in a sentence.
    var summary: String {
        guard let rate else {
            return switch bound {
            case .client: "No rate held: the client could not keep up"
            case .unfinished where steps.isEmpty: "No step has ended"
            default:
                "No rate held: the limits were missed twice at each rate that was tried. Lower ones "
                    + "than \(LoadNumber.rate(search.lowest)) calls/s need longer steps (--duration), "
                    + "or a lower first one (--rate)"
            }
        }
        let few = (best?.total.calls).flatMap { $0 < neededCalls ? $0 : nil }
        let found =
            "\(LoadNumber.rate(rate)) calls/s is the highest rate at which all limits held"
            + (few.map { " (of only \($0) calls: a verdict needs \(neededCalls))" } ?? "")
        return switch bound {
        case .server:
            "\(found), to within \(LoadNumber.text(search.precision * 100, 1)) %"
        case .client:
            "\(LoadNumber.rate(rate)) calls/s held; beyond, the client could not keep up: "
                + "the server's highest rate may be higher"
        case .highestRate: "\(LoadNumber.rate(rate)) calls/s held, the highest rate that was tried"
        case .unfinished: "\(found), so far: the search was not finished"
        }
    }

    /// The head of the table of steps.
    static let head = [
        "calls/s", "reached", "errors", "not begun", "p50 ms", "p99 ms", "max ms", "client busy",
        "",
    ]

    /// The report for a terminal: a line of the setup, the steps by rate, and the result.
    var lines: [String] {
        var table = TextTable(left: [8])
        table.add(Self.head)
        for step in steps.sorted(by: { $0.rate < $1.rate }) { table.add(step.cells) }
        var lines =
            [
                "\(setup.title) by \(setup.wire): \(setup.text), \(stepLimits.joined(separator: ", "))"
                    + (interrupted ? ", interrupted" : ""), "",
            ] + table.lines + ["", summary]
        if !limits.isEmpty {
            lines.append("")
            lines += limits.map {
                "\($0.limit): \($0.value), \($0.isMet ? "met" : "MISSED")"
            }
        }
        return lines.map { TerminalText.safe($0) }
    }
}

extension LoadSearchReport.Step {
    /// Its row of the table.
    var cells: [String] {
        [
            LoadNumber.rate(rate), LoadNumber.text(callsPerSecond, 1), "\(failed)", "\(notBegun)",
            LoadNumber.milliseconds(p50Ms), LoadNumber.milliseconds(p99Ms),
            LoadNumber.milliseconds(maxMs), "\(LoadNumber.text(clientBusyPercent, 0)) %", text,
        ]
    }

    /// What it has shown: `missed p99=20ms`.
    var text: String {
        let missed = limits.filter { !$0.isMet }.map(\.limit).joined(separator: ", ")
        return switch verdict {
        case .held: "held"
        case .missed: "missed \(missed)"
        case .client: "missed \(missed): the client could not keep up"
        }
    }

    /// One line while the search goes on.
    var line: String {
        "\(LoadNumber.rate(rate)) calls/s: p99 \(LoadNumber.milliseconds(p99Ms)) ms, "
            + "\(failed) errors, \(text)"
    }
}
