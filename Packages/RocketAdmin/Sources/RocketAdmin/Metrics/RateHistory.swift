import RocketBase
import RocketRPC
import RocketSystem

/// The last minute of a server, one sample per second: its rates are differences of samples. A value.
struct RateHistory: Sendable {
    /// One second's counts, all since the server was created.
    struct Sample: Sendable {
        /// The server's age when it was taken.
        var age: Duration
        var calls = 0
        var failures = 0
        var inFlight = 0
        /// Of unary calls: streams last as long as their two sides like.
        var latency = RPCLatencyHistogram()
        var processorTime = Duration.zero
        /// How often something was refused for each limit.
        var refusals: [String: Int] = [:]
        /// Only those of the last seconds have them.
        var methods: [RPCServerSnapshot.Method] = []
        var loops: [RPCServerSnapshot.Loop] = []

        init(_ snapshot: RPCServerSnapshot, processorTime: Duration) {
            age = snapshot.age
            methods = snapshot.methods
            loops = snapshot.loops
            self.processorTime = processorTime
            for method in methods {
                for (code, count) in method.ended {
                    calls += count
                    if code != .success { failures += count }
                }
                inFlight += method.inFlight
                if method.kind == .unary { latency.add(method.latency) }
            }
            for limit in snapshot.limits { refusals[limit.name] = limit.refusals }
        }
    }

    /// What happened between two samples.
    struct Rates: Hashable, Sendable {
        /// The time between them.
        var time: Duration
        var callsPerSecond = 0.0
        var failuresPerSecond = 0.0
        /// Of unary calls.
        var latency = RPCLatencyHistogram()
        /// What was refused for each limit in this time, without those that have refused nothing.
        var refusals: [String: Int] = [:]
        /// Processors that were busy: 1.5 are one and a half.
        var processors = 0.0
        /// Of each method.
        var methods: [String: MethodRates] = [:]
        /// The share of time that each loop has worked.
        var loopBusy: [String: Double] = [:]
    }

    struct MethodRates: Hashable, Sendable {
        var callsPerSecond = 0.0
        var failuresPerSecond = 0.0
        /// Of `failuresPerSecond`, by code.
        var codes: [RPCErrorCode: Double] = [:]
        var latency = RPCLatencyHistogram()
    }

    /// The number of samples that are kept: for a minute of rates.
    static let capacity = 61
    /// Samples are not nearer to one another.
    static let spacing = Duration.milliseconds(900)
    /// Rates of methods and loops are over this time.
    static let window = Duration.seconds(10)

    /// Oldest first.
    private(set) var samples: [Sample] = []

    /// Adds a sample, unless the last one is too near.
    mutating func add(_ snapshot: RPCServerSnapshot, processorTime: Duration) {
        if let last = samples.last, snapshot.age - last.age < Self.spacing { return }
        samples.append(Sample(snapshot, processorTime: processorTime))
        if samples.count > Self.capacity { samples.removeFirst() }
        let oldest = snapshot.age - Self.window - Self.spacing
        for index in samples.indices where samples[index].age < oldest {
            if samples[index].methods.isEmpty { continue }
            samples[index].methods = []
            samples[index].loops = []
        }
    }

    /// The rates of each second, oldest first.
    var seconds: [Rates] {
        zip(samples, samples.dropFirst()).map { Self.rates(from: $0, to: $1) }
    }

    /// The calls in flight at the end of each second.
    var inFlight: [Int] { samples.dropFirst().map(\.inFlight) }

    /// The rates of the last `window`, or since the first sample; nil: there are less than two.
    var recent: Rates? {
        guard let last = samples.last, samples.count > 1 else { return nil }
        let first = samples.first { last.age - $0.age <= Self.window + Self.spacing }
        guard let first, first.age < last.age else { return nil }
        var rates = Self.rates(from: first, to: last)
        let seconds = Self.seconds(last.age - first.age)
        let before = Dictionary(first.methods.map { ($0.name, $0) }) { first, _ in first }
        for method in last.methods {
            let old = before[method.name] ?? .init(name: method.name)
            let (new, past) = (method.outcome, old.outcome)
            rates.methods[method.name] = MethodRates(
                callsPerSecond: Double(new.calls - past.calls) / seconds,
                failuresPerSecond: Double(new.failures - past.failures) / seconds,
                codes: method.failures(since: old).mapValues { Double($0) / seconds },
                latency: method.latency.since(old.latency))
        }
        let loops = Dictionary(first.loops.map { ($0.name, $0) }) { first, _ in first }
        for loop in last.loops {
            guard let old = loops[loop.name] else { continue }
            rates.loopBusy[loop.name] = Self.seconds(loop.busy - old.busy) / seconds
        }
        return rates
    }

    private static func rates(from old: Sample, to new: Sample) -> Rates {
        let time = new.age - old.age
        let seconds = max(seconds(time), 1e-9)
        return Rates(
            time: time, callsPerSecond: Double(max(0, new.calls - old.calls)) / seconds,
            failuresPerSecond: Double(max(0, new.failures - old.failures)) / seconds,
            latency: new.latency.since(old.latency), refusals: refusals(from: old, to: new),
            processors: Self.seconds(new.processorTime - old.processorTime) / seconds)
    }

    private static func refusals(from old: Sample, to new: Sample) -> [String: Int] {
        var result: [String: Int] = [:]
        for (name, count) in new.refusals {
            let more = count - (old.refusals[name] ?? 0)
            if more > 0 { result[name] = more }
        }
        return result
    }

    private static func seconds(_ time: Duration) -> Double { Double(time.wholeNanoseconds) / 1e9 }
}

extension RPCServerSnapshot.Method {
    /// The failures since an earlier snapshot, by code, without codes that have none.
    func failures(since old: Self) -> [RPCErrorCode: Int] {
        var result: [RPCErrorCode: Int] = [:]
        for (code, count) in ended where code != .success {
            let new = count - (old.ended[code] ?? 0)
            if new > 0 { result[code] = new }
        }
        return result
    }

    /// How many calls have ended, and how many of them with an error.
    var outcome: (calls: Int, failures: Int) {
        var (calls, failures) = (0, 0)
        for (code, count) in ended {
            calls += count
            if code != .success { failures += count }
        }
        return (calls, failures)
    }
}
