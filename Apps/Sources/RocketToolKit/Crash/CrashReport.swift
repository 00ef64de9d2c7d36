import RocketBase
import RocketProgram
import RocketSystem

/// What `rocket crash` prints of a recording. A value.
struct CrashReport {
    private let recording: FlightRecording
    private let isRunning: Bool
    private let utcOffsetSeconds: Int32
    /// The last calls and lines, by their times.
    private let events: [Event]

    private enum Event {
        case call(FlightRecording.Call)
        case line(FlightRecording.Line)

        var time: WallTime {
            switch self {
            case .call(let call): call.endedAt
            case .line(let line): line.time
            }
        }
    }

    /// - Parameters:
    ///   - isRunning: whether a process has the file.
    ///   - last: the largest number of calls and lines.
    init(
        _ recording: FlightRecording, isRunning: Bool, last: Int, utcOffsetSeconds: Int32 = 0
    ) {
        self.recording = recording
        self.isRunning = isRunning
        self.utcOffsetSeconds = utcOffsetSeconds
        let all =
            recording.endedCalls.suffix(last).map { Event.call($0) }
            + recording.lines.suffix(last).map { Event.line($0) }
        events = Array(all.sorted { $0.time < $1.time }.suffix(last))
    }

    // MARK: Text

    /// The lines of the report, safe to print.
    var lines: [String] {
        (head + [""] + inFlight + [""] + lastEvents).map { TerminalText.safe($0) }
    }

    private var head: [String] {
        let program = recording.program.isEmpty ? "(no name)" : recording.program
        return [
            "program   \(program), pid \(recording.processID)",
            "started   \(date(recording.startedAt))",
            "ended     \(end)",
        ]
            + recording.loops.map { loop in
                var text = "loop      \(loop.name): \(loop.callsInFlight) in flight"
                if let time = loop.lastRanAt {
                    text += ", last ran \(Self.text(since(time))) before"
                }
                if loop.callsWithoutSlot > 0 {
                    text +=
                        "; \(loop.callsWithoutSlot) calls began while all slots were in use, and are "
                        + "missing here if they were in flight"
                }
                return text
            }
    }

    private var end: String {
        let last = "the last sign of life is of \(date(recording.lastSignOfLife))"
        if isRunning { return "runs; \(last)" }
        if recording.isClosed { return "in an orderly way; \(last)" }
        if recording.signal > 0 {
            return "by \(Self.name(ofSignal: recording.signal)) in thread "
                + "\(recording.signalThread); \(last)"
        }
        return "killed, without a trace of why; \(last)"
    }

    private var inFlight: [String] {
        if recording.callsInFlight.isEmpty { return ["no call was in flight"] }
        return ["in flight, by age:"]
            + recording.callsInFlight.map { call in
                "  \(Self.padded(Self.text(call.duration), 10)) \(call.method) from \(call.peer) by "
                    + "\(call.wire)\(id(call)), \(call.requestBytes) bytes, connection "
                    + "\(call.connection), \(call.loop)"
            }
    }

    private var lastEvents: [String] {
        if events.isEmpty { return ["no calls and no lines"] }
        return [
            "the last of \(recording.endedCalls.count) calls and \(recording.lines.count) lines:"
        ]
            + events.map { event in
                switch event {
                case .call(let call):
                    "  \(time(event.time)) call  \(call.method) \(Self.code(call)) in "
                        + "\(Self.text(call.duration)) from \(call.peer)\(id(call))"
                case .line(let line):
                    "  \(time(event.time)) \(Self.padded(line.level.name, 5)) "
                        + line.text
                }
            }
    }

    private func since(_ time: WallTime) -> Duration {
        let (difference, overflow) = recording.lastSignOfLife.nanoseconds
            .subtractingReportingOverflow(time.nanoseconds)
        return .nanoseconds(overflow ? 0 : max(0, difference))
    }

    private func id(_ call: FlightRecording.Call) -> String {
        call.messageID.isEmpty ? "" : ", id \(call.messageID)"
    }

    private static func code(_ call: FlightRecording.Call) -> String {
        let name = call.code.map { $0.rawValue == 0 ? "OK" : $0.name } ?? ""
        return call.isRefused ? "refused with \(name)" : name
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// `1.234 ms`, `12.3 s`.
    private static func text(_ duration: Duration) -> String {
        let microseconds = duration.wholeNanoseconds / 1000
        if microseconds < 1000 { return "\(microseconds) us" }
        let (unit, divisor) = microseconds < 1_000_000 ? ("ms", Int64(1)) : ("s", 1000)
        let thousandths = String(microseconds / divisor % 1000)
        return "\(microseconds / divisor / 1000)."
            + String(repeating: "0", count: 3 - thousandths.count) + "\(thousandths) \(unit)"
    }

    private static func name(ofSignal number: UInt32) -> String {
        let names: [UInt32: String] = [
            4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 11: "SIGSEGV",
        ]
        return names[number] ?? "signal \(number)"
    }

    private func date(_ time: WallTime) -> String {
        let number = CivilDate(at: time, utcOffsetSeconds: utcOffsetSeconds).number
        let digits = String(number)
        let zeros = String(repeating: "0", count: max(0, 8 - digits.count))
        let text = zeros + digits
        return "\(text.dropLast(4))-\(text.suffix(4).prefix(2))-\(text.suffix(2)) "
            + self.time(time)
    }

    /// `05:01:02.123456`, local time.
    private func time(_ time: WallTime) -> String {
        let day: Int64 = 86_400_000_000
        let local = time.nanoseconds / 1000 + Int64(utcOffsetSeconds) * 1_000_000
        let microseconds = (local % day + day) % day
        func digits(_ number: Int64, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let seconds = microseconds / 1_000_000
        return "\(digits(seconds / 3600, 2)):\(digits(seconds / 60 % 60, 2)):"
            + "\(digits(seconds % 60, 2)).\(digits(microseconds % 1_000_000, 6))"
    }

    // MARK: JSON

    /// The report as one line of JSON. Times are nanoseconds since 1970 in UTC, durations nanoseconds.
    var json: String {
        let loops = recording.loops.map { loop in
            Self.object([
                ("name", CallReport.quoted(loop.name)),
                ("last_ran_ns", loop.lastRanAt.map { "\($0.nanoseconds)" } ?? "null"),
                ("in_flight", "\(loop.callsInFlight)"),
                ("recorded_calls", "\(loop.recordedCalls)"),
                ("calls_without_slot", "\(loop.callsWithoutSlot)"),
            ])
        }
        let last = events.map { event in
            switch event {
            case .call(let call): Self.object([("kind", "\"call\"")] + Self.fields(call))
            case .line(let line): Self.object([("kind", "\"line\"")] + Self.fields(line))
            }
        }
        return TerminalText.safeJSON(
            Self.object([
                ("program", CallReport.quoted(recording.program)),
                ("pid", "\(recording.processID)"),
                ("started_ns", "\(recording.startedAt.nanoseconds)"),
                ("last_sign_of_life_ns", "\(recording.lastSignOfLife.nanoseconds)"),
                ("running", "\(isRunning)"), ("orderly", "\(recording.isClosed)"),
                ("signal", "\(recording.signal)"),
                ("signal_thread", "\(recording.signalThread)"),
                ("missing_bytes", "\(recording.missingBytes)"),
                ("loops", "[\(loops.joined(separator: ","))]"),
                (
                    "in_flight",
                    "["
                        + recording.callsInFlight.map { Self.object(Self.fields($0)) }
                        .joined(separator: ",") + "]"
                ),
                ("last", "[\(last.joined(separator: ","))]"),
            ]))
    }

    private static func object(_ fields: [(String, String)]) -> String {
        "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }

    private static func fields(_ call: FlightRecording.Call) -> [(String, String)] {
        [
            ("method", CallReport.quoted(call.method)), ("peer", CallReport.quoted(call.peer)),
            ("wire", CallReport.quoted(call.wire)), ("id", CallReport.quoted(call.messageID)),
            ("loop", CallReport.quoted(call.loop)), ("connection", "\(call.connection)"),
            ("began_ns", "\(call.beganAt.nanoseconds)"),
            ("duration_ns", "\(call.duration.wholeNanoseconds)"),
            ("code", call.code.map { "\($0.rawValue)" } ?? "null"),
            ("refused", "\(call.isRefused)"), ("request_bytes", "\(call.requestBytes)"),
            ("response_bytes", "\(call.responseBytes)"),
        ]
    }

    private static func fields(_ line: FlightRecording.Line) -> [(String, String)] {
        [
            ("time_ns", "\(line.time.nanoseconds)"), ("level", CallReport.quoted(line.level.name)),
            ("stream", CallReport.quoted(line.stream.name)), ("thread", "\(line.threadID)"),
            ("source", CallReport.quoted(line.location)), ("text", CallReport.quoted(line.text)),
        ]
    }
}
