import Histogram
import RocketBase
import RocketRPC
import RocketSystem

/// What the calls of one event loop have been, since the start and in the current interval. A value,
/// protected by its owner.
struct LoadCounts: Sendable {
    /// The most kinds of errors of one method; further ones are counted as `others`.
    static let maxErrors = 50
    /// The error of calls of an open loop that were due but never begun: all callers were busy.
    static let notBegun = "NOT_BEGUN"

    struct OfMethod: Sendable {
        var calls = 0
        /// In nanoseconds, with three significant digits, up to an hour.
        var latencies = LoadCounts.histogram
        var errors: [String: LoadReport.Errors] = [:]
        /// Of a method with streams; nil: it has none, or none has ended.
        var messages: LoadMessageCounts?

        mutating func add(_ error: LoadReport.Errors) {
            var error = error
            if errors[error.code] == nil, errors.count >= LoadCounts.maxErrors {
                (error.code, error.message) = ("others", "")
            }
            errors[error.code, default: .init(error.code, count: 0, error.message)].count +=
                error.count
        }
    }

    /// A part of the time, for the course of the load.
    struct Interval: Sendable {
        var calls = 0
        var errors = 0
        var latencies = LoadCounts.histogram
    }

    /// In the order of the load's methods.
    var methods: [OfMethod]
    var interval = Interval()

    static var highest: UInt64 { 3_600_000_000_000 }

    static var histogram: Histogram<UInt64> {
        Histogram(highestTrackableValue: highest, numberOfSignificantValueDigits: .three)
    }

    init(methods: Int) { self.methods = (0..<methods).map { _ in OfMethod() } }

    /// Records the end of a call.
    mutating func record(_ method: Int, _ latency: Duration, _ error: RPCError?) {
        let nanoseconds = min(Self.highest, UInt64(max(0, latency.wholeNanoseconds)))
        methods[method].calls += 1
        methods[method].latencies.record(nanoseconds)
        interval.calls += 1
        interval.latencies.record(nanoseconds)
        guard let error else { return }
        interval.errors += 1
        methods[method].add(.init(error))
    }

    /// Records the messages of a call.
    mutating func record(_ method: Int, _ messages: LoadMessages) {
        methods[method].messages = methods[method].messages ?? LoadMessageCounts()
        methods[method].messages?.add(messages)
    }

    /// Adds what another loop has counted.
    mutating func add(_ other: LoadCounts) {
        for (index, method) in other.methods.enumerated() {
            methods[index].calls += method.calls
            methods[index].latencies.add(method.latencies)
            for error in method.errors.values { methods[index].add(error) }
            guard let messages = method.messages else { continue }
            methods[index].messages = methods[index].messages ?? LoadMessageCounts()
            methods[index].messages?.add(messages)
        }
        interval.add(other.interval)
    }

    /// Returns the sum of what loops have counted, at least one.
    static func sum(_ counts: [LoadCounts]) -> LoadCounts {
        var all = LoadCounts(methods: counts[0].methods.count)
        for counts in counts { all.add(counts) }
        return all
    }

    /// Adds calls that were due and never begun, to the methods by their weights.
    mutating func addNotBegun(_ count: Int, weights: [Int]) {
        let sum = weights.reduce(0, +)
        var rest = count
        for (index, weight) in weights.enumerated() {
            let part = index == weights.count - 1 ? rest : count / sum * weight
            rest -= part
            if part == 0 { continue }
            methods[index].add(
                .init(
                    Self.notBegun, count: part,
                    "all callers were busy when the call was due (--concurrency)"))
        }
    }

    /// Returns the current interval, and begins the next one.
    mutating func endInterval() -> Interval {
        defer {
            // Keeps the histogram's memory.
            interval.latencies.reset()
            (interval.calls, interval.errors) = (0, 0)
        }
        return interval
    }
}

/// The counts of one event loop. Any thread.
final class LoadCounter: Sendable {
    private let counts: Locked<LoadCounts>

    init(methods: Int) { counts = Locked(LoadCounts(methods: methods)) }

    func record(_ method: Int, _ latency: Duration, _ error: RPCError?) {
        counts.withLock { $0.record(method, latency, error) }
    }

    func record(_ method: Int, _ messages: LoadMessages) {
        counts.withLock { $0.record(method, messages) }
    }

    func addNotBegun(_ count: Int, weights: [Int]) {
        counts.withLock { $0.addNotBegun(count, weights: weights) }
    }

    func endInterval() -> LoadCounts.Interval { counts.withLock { $0.endInterval() } }

    var all: LoadCounts { counts.withLock { $0 } }
}

extension LoadCounts.Interval {
    mutating func add(_ other: Self) {
        calls += other.calls
        errors += other.errors
        latencies.add(other.latencies)
    }
}
