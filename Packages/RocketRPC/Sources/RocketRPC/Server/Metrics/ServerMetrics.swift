@_spi(Recording) import RocketBase
import RocketReactor
import RocketSystem

/// How the calls of a server are recorded, and what its loops have counted. Any thread.
final class ServerMetrics: Sendable {
    /// What is kept of calls.
    struct Settings: Sendable {
        /// In nanoseconds; `.max`: no call is slow.
        var slowNanoseconds = UInt64(1_000_000_000)
        /// 0: none is kept as one of many.
        var callsPerSample = 1_000

        init() {}

        init(_ configuration: RPCServerConfiguration) {
            slowNanoseconds =
                configuration.slowCall.map { UInt64(max(0, $0.wholeNanoseconds)) } ?? .max
            callsPerSample = max(0, configuration.callsPerSample)
        }
    }

    let settings: Settings
    private let methods: [_MethodEntry]
    private let flightRecorder: FlightRecorder?
    /// Of all loops that have had a connection, in the order of their making.
    private let counters = Locked<[CallCounters]>([])
    /// The recording that runs.
    private let recording = Locked<RPCCallRecorder?>(nil)

    init(
        _ settings: Settings, methods: [_MethodEntry], flightRecorder: FlightRecorder? = nil
    ) {
        self.flightRecorder = flightRecorder
        self.settings = settings
        self.methods = methods
    }

    /// Makes the recorder of a loop. On the loop.
    func recorder(on reactor: Reactor) -> LoopMetrics {
        let own = CallCounters(methodCount: methods.count)
        counters.withLock { $0.append(own) }
        let metrics = LoopMetrics(
            own, settings, methods: methods,
            flight: flightRecorder?.calls(ofLoop: reactor.loop.name), on: reactor)
        if let recorder = recording.withLock({ $0 }) { metrics.record(by: recorder) }
        return metrics
    }

    /// Begins a recording, also on loops that come; returns false if another one runs.
    func begin(_ recorder: RPCCallRecorder) -> Bool {
        recording.withLock { recording in
            if recording != nil { return false }
            recording = recorder
            return true
        }
    }

    /// Ends a recording, if it runs.
    func end(_ recorder: RPCCallRecorder) {
        recording.withLock { if $0 === recorder { $0 = nil } }
    }

    /// Reads the counts of all methods, sorted by name, and of all names that are not registered if
    /// there were any.
    func readMethods() -> [RPCServerSnapshot.Method] {
        let all = counters.withLock { $0 }
        var result = methods.map { entry in
            var method = RPCServerSnapshot.Method(name: entry.fullName, kind: entry.kind)
            for counters in all { counters.read(entry.index, into: &method) }
            return method
        }
        var unknown = RPCServerSnapshot.Method(name: RPCServerSnapshot.Method.unknownName)
        for counters in all { counters.read(counters.unknown, into: &unknown) }
        if unknown.started > 0 { result.append(unknown) }
        return result.sorted { $0.name < $1.name }
    }

    /// Reads the examples of traced calls into the methods that were read.
    ///
    /// - Parameters:
    ///   - wall: the calendar time of now.
    ///   - now: the same moment by the monotonic clock.
    func readExemplars(
        into rows: inout [RPCServerSnapshot.Method], _ wall: WallTime, _ now: MonotonicTime
    ) {
        let all = counters.withLock { $0 }
        let indices = Dictionary(
            methods.map { ($0.fullName, $0.index) }, uniquingKeysWith: { first, _ in first })
        for position in 0..<rows.count {
            guard let index = indices[rows[position].name] else { continue }
            var newest = [CallExemplars.Entry?](repeating: nil, count: CallExemplars.slotCount)
            for counters in all { counters.exemplars.read(index, into: &newest) }
            rows[position].exemplars = newest.compactMap(\.self).map { entry in
                let ago = Int64(clamping: now.nanoseconds - min(entry.endedAt, now.nanoseconds))
                return RPCServerSnapshot.Exemplar(
                    traceID: entry.trace.traceID.text ?? "", spanID: entry.trace.spanID,
                    duration: .nanoseconds(Int64(clamping: entry.duration)),
                    time: WallTime(nanoseconds: wall.nanoseconds - ago))
            }
        }
    }

    /// Reads how long the calls of all methods took so far, and how many are in flight.
    func readTotal() -> (latency: RPCLatencyHistogram, inFlight: Int) {
        var total = (latency: RPCLatencyHistogram(), inFlight: 0)
        for counters in counters.withLock({ $0 }) {
            counters.readTotal(&total.latency, &total.inFlight)
        }
        return total
    }
}
