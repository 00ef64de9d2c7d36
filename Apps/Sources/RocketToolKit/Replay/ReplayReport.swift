import FoundationEssentials
import RocketBinaryLog
import RocketProgram

/// What a replay has found. A value.
struct ReplayReport: Codable, Sendable {
    /// The calls of one method.
    struct Method: Codable, Sendable {
        let method: String
        var calls = 0
        var equal = 0
        var different = 0
        var failed = 0
        /// In milliseconds; of calls with replies.
        var recordedP50 = 0.0
        var nowP50 = 0.0
    }

    /// One of a call.
    struct Difference: Codable, Sendable {
        let method: String
        /// Its number in the file.
        let call: UInt64
        /// Empty: the call has failed, and `now` says why.
        let path: String
        let recorded: String?
        let now: String?

        /// `Order.makeOrder #17: price: 100 -> 101`.
        var text: String {
            let what =
                path.isEmpty
                ? now ?? "" : FieldDifference(path: path, recorded: recorded, now: now).text
            return "\(method) #\(call): \(what)"
        }
    }

    /// The most differences that are kept.
    static let maxDifferences = 10_000

    let file: String
    let server: String
    /// The calls of the file that were not made.
    let skipped: Int
    let notes: [String]
    var interrupted = false
    private(set) var methods: [Method] = []
    private(set) var differences: [Difference] = []
    /// How many differences there are beside those.
    private(set) var moreDifferences = 0
    private(set) var calls = 0
    private(set) var equal = 0
    private(set) var different = 0
    private(set) var failed = 0

    init(file: String, server: String, skipped: Int, notes: [String]) {
        (self.file, self.server) = (file, server)
        (self.skipped, self.notes) = (skipped, notes)
    }

    /// Adds the calls, in their order.
    mutating func add(_ results: [ReplayResult]) {
        var byMethod: [String: [ReplayResult]] = [:]
        for result in results {
            byMethod[result.call.method, default: []].append(result)
            add(result)
        }
        methods = byMethod.sorted { $0.key < $1.key }.map { name, results in
            var method = Method(method: name)
            method.calls = results.count
            for result in results {
                switch result.outcome {
                case .equal: method.equal += 1
                case .different: method.different += 1
                case .failed: method.failed += 1
                }
            }
            method.recordedP50 = Self.median(results.map(\.call.duration))
            method.nowP50 = Self.median(results.filter(\.isAnswered).map(\.duration))
            return method
        }
    }

    private mutating func add(_ result: ReplayResult) {
        calls += 1
        func keep(_ path: String, _ recorded: String?, _ now: String?) {
            if differences.count >= Self.maxDifferences {
                moreDifferences += 1
                return
            }
            differences.append(
                Difference(
                    method: result.call.method, call: result.call.id, path: path,
                    recorded: recorded, now: now))
        }
        switch result.outcome {
        case .equal: equal += 1
        case .different(let found):
            different += 1
            for each in found { keep(each.path, each.recorded, each.now) }
        case .failed(let text):
            failed += 1
            keep("", nil, text)
        }
    }

    /// In milliseconds.
    private static func median(_ durations: [Duration]) -> Double {
        if durations.isEmpty { return 0 }
        return durations.sorted()[durations.count / 2] / .milliseconds(1)
    }

    /// Whether all replies are equal.
    var isEqual: Bool { different == 0 && failed == 0 }

    /// The table, and the first differences.
    ///
    /// - Parameter most: how many of them.
    func lines(differences most: Int) -> [String] {
        var table = TextTable()
        table.add([
            "METHOD", "CALLS", "EQUAL", "DIFFERENT", "FAILED", "RECORDED P50 MS", "NOW P50 MS",
        ])
        for method in methods {
            table.add([
                method.method, "\(method.calls)", "\(method.equal)", "\(method.different)",
                "\(method.failed)", LoadNumber.milliseconds(method.recordedP50),
                LoadNumber.milliseconds(method.nowP50),
            ])
        }
        var lines = table.lines
        if !differences.isEmpty { lines.append("") }
        lines += differences.prefix(most).map(\.text)
        let more = differences.count + moreDifferences - min(most, differences.count)
        if more > 0 { lines.append("and \(more) more (--differences, --json)") }
        return lines.map(TerminalText.safe)
    }

    /// One line.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return TerminalText.safeJSON(String(decoding: try encoder.encode(self), as: UTF8.self))
    }
}

/// A call that was made again. A value.
struct ReplayResult: Sendable {
    let call: LoggedCall
    let outcome: ReplayOutcome
    let duration: Duration

    var isAnswered: Bool {
        if case .failed = outcome { false } else { true }
    }
}
