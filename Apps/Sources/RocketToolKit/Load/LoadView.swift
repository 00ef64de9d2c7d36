import RocketBase
import RocketProgram
import RocketSystem

/// The live view of a load: a few lines of text for each state. A value.
struct LoadView: Hashable, Sendable {
    let setup: LoadReport.Setup

    /// The lines, none longer than the terminal is wide.
    func lines(_ progress: LoadProgress, columns: Int) -> [String] {
        let points = progress.course.points
        let calls = points.reduce(0) { $0 + $1.calls }
        let errors = points.reduce(0) { $0 + $1.errors }
        let last = points.last
        let share = Self.share(progress, calls: calls)
        let seconds = LoadNumber.text(progress.elapsed / .seconds(1), 1)
        let end = progress.duration.map { " of \(LoadNumber.text($0 / .seconds(1), 1)) s" } ?? ""
        func ms(_ value: Double?) -> String { LoadNumber.milliseconds(value ?? 0) }
        // What is behind the names at the lines' beginning.
        let width = max(8, min(columns - 30, 40))
        let lines = [
            "\(setup.title) by \(setup.wire), \(setup.text)",
            Self.bar(share, width: width) + " \(Int(share * 100)) %, \(seconds) s\(end)",
            "\(calls) calls, \(errors) errors"
                + (errors > 0
                    ? " (\(LoadNumber.text(Double(errors) / Double(max(1, calls)) * 100, 2)) %)"
                    : ""),
            TerminalBars.spark(points.map(\.callsPerSecond), width: width)
                + " \(LoadNumber.text(last?.callsPerSecond ?? 0, 0)) calls/s",
            TerminalBars.spark(points.map(\.p99Ms), width: width)
                + " p50 \(ms(last?.p50Ms)), p99 \(ms(last?.p99Ms)), max \(ms(last?.maxMs)) ms",
        ]
        return lines.map { String(TerminalText.safe($0).prefix(max(1, columns - 1))) }
    }

    /// How much is done, 0 to 1.
    private static func share(_ progress: LoadProgress, calls: Int) -> Double {
        var share = 0.0
        if let duration = progress.duration { share = progress.elapsed / duration }
        if let requests = progress.requests { share = max(share, Double(calls) / Double(requests)) }
        return min(1, share)
    }

    private static func bar(_ share: Double, width: Int) -> String {
        let full = Int((share * Double(width)).rounded(.down))
        return String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
    }
}

/// Draws the live view on the terminal on standard error, in place of what it has drawn before. Any
/// thread.
final class LoadScreen: Sendable {
    private let view: LoadView
    private let drawn = Locked(0)
    private let columns: @Sendable () -> Int
    private let write: @Sendable (String) -> Void

    /// - Parameters:
    ///   - columns: the width of the terminal, which may change.
    ///   - write: writes a line and a line feed.
    init(
        _ view: LoadView, columns: @escaping @Sendable () -> Int = { RawTerminal.columns },
        write: @escaping @Sendable (String) -> Void = {
            StandardError.write(line: $0, level: .info)
        }
    ) {
        (self.view, self.columns, self.write) = (view, columns, write)
    }

    /// A screen for standard error; nil: that is no terminal that moves the cursor.
    static func ofStandardError(_ view: LoadView) -> LoadScreen? {
        StandardStream.errorIsTerminal
            && TopTerminal.isUsable(type: ProcessEnvironment.current["TERM"])
            ? LoadScreen(view) : nil
    }

    /// Draws.
    ///
    /// - Parameter view: another view than that of the whole load.
    func show(_ progress: LoadProgress, _ view: LoadView? = nil) {
        let lines = (view ?? self.view).lines(progress, columns: columns())
        let former = drawn.withLock { drawn in
            defer { drawn = lines.count }
            return drawn
        }
        write(Self.start(former) + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\n"))
    }

    /// Removes what was drawn.
    func end() {
        let former = drawn.withLock { drawn in
            defer { drawn = 0 }
            return drawn
        }
        // The line feed of the write comes first where there is something to remove.
        if former > 0 { write("\u{1B}[\(former)A\r\u{1B}[J\u{1B}[A") }
    }

    /// Moves the cursor to the first line that was drawn.
    private static func start(_ lines: Int) -> String {
        lines > 0 ? "\u{1B}[\(lines)A\r" : ""
    }
}
