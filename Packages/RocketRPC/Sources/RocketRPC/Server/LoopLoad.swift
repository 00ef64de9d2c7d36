import RocketBalancing
import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import Synchronization

/// What the load reports of all loops of a server have in common. Any thread.
final class ServerLoad: Sendable {
    let loops: Int
    /// The bits of the utilization that the application has set; those of NaN: it has set none.
    private let bits = Atomic(Double.nan.bitPattern)

    init(loops: Int) { self.loops = max(1, loops) }

    /// What the application has set; nil: nothing.
    var utilization: Double? {
        get {
            let value = Double(bitPattern: bits.load(ordering: .relaxed))
            return value.isNaN ? nil : value
        }
        set { bits.store((newValue ?? .nan).bitPattern, ordering: .relaxed) }
    }
}

/// Measures the load of a loop over periods of 100 ms or more. A value.
struct LoadMeter {
    /// The shortest period, and the shortest time between two reports on a connection.
    static let interval = Duration.milliseconds(100)

    private var calls = 0
    private var errors = 0
    private var start: MonotonicTime
    private var waitedBefore: UInt64
    /// The load of the last period; nil: none has ended.
    private(set) var line: LoadLine?

    /// - Parameter waited: how long the loop has waited for events so far, in nanoseconds.
    init(now: MonotonicTime, waited: UInt64) {
        start = now
        waitedBefore = waited
    }

    /// A call was answered.
    mutating func ended(_ outcome: CallOutcome) {
        calls += 1
        if outcome == .failure || outcome == .refused { errors += 1 }
    }

    /// Ends the period, if it has been long enough.
    ///
    /// - Parameters:
    ///   - waited: as for `init`.
    ///   - loops: all loops of the server are assumed to be like this one.
    ///   - utilization: that of the application, in place of what is measured.
    /// - Returns: whether `line` is that of another period than before.
    mutating func measure(
        now: MonotonicTime, waited: UInt64, loops: Int, utilization: Double?
    ) -> Bool {
        guard now - start >= Self.interval else { return false }
        let nanoseconds = Double(now.nanoseconds - start.nanoseconds)
        let rate = Double(loops) * 1e9 / nanoseconds
        line = LoadLine(
            utilization: utilization ?? 1 - Double(waited &- waitedBefore) / nanoseconds,
            callsPerSecond: Double(calls) * rate, errorsPerSecond: Double(errors) * rate)
        (calls, errors, start, waitedBefore) = (0, 0, now, waited)
        return true
    }
}

/// The load of one loop of a server, and the block that reports it. Bound to the loop.
final class LoopLoad {
    private unowned let reactor: Reactor
    private let server: ServerLoad
    // SAFETY of the unchecked properties: bound to one thread, and nothing that runs inside an access
    // to one of them uses the object.
    @exclusivity(unchecked) private var meter: LoadMeter
    /// A metadata block with nothing but the report.
    @exclusivity(unchecked) private var block = ByteBuffer()

    init(_ server: ServerLoad, on reactor: Reactor) {
        self.server = server
        self.reactor = reactor
        unsafe meter = LoadMeter(now: reactor.now, waited: reactor.waitedNanoseconds)
    }

    /// A call was answered.
    func ended(_ code: RPCErrorCode) { unsafe meter.ended(CallOutcome(code)) }

    /// A call was answered with a response.
    @inline(__always)
    func succeeded() { unsafe meter.ended(.success) }

    /// Passes the block that the next reply on a connection is to have; an empty one if none.
    ///
    /// - Parameter next: when the next report is due on the connection.
    func withReport<Result>(_ next: inout MonotonicTime, _ body: (RawSpan) -> Result) -> Result {
        guard report(&next) != nil else { return body(RawSpan()) }
        return unsafe block.withBytes(body)
    }

    /// Returns what the next reply on a connection is to report; nil: nothing.
    ///
    /// - Parameter next: when the next report is due on the connection.
    func report(_ next: inout MonotonicTime) -> LoadLine? {
        let now = reactor.now
        if now < next { return nil }
        let isNew = unsafe meter.measure(
            now: now, waited: reactor.waitedNanoseconds, loops: server.loops,
            utilization: server.utilization)
        guard let line = unsafe meter.line else { return nil }
        next = now + LoadMeter.interval
        if isNew {
            unsafe block.removeAll()
            unsafe line.append(to: &block, limitBytes: MetadataBlock.defaultLimitBytes)
        }
        return line
    }
}

extension ServerConnection {
    /// Adds the load to the block of a reply, if it is due and the peer knows metadata.
    func appendLoad(to info: inout ByteBuffer) {
        guard let load, metadata.isKnown, let line = load.report(&nextLoadReport) else { return }
        line.append(to: &info, limitBytes: MetadataBlock.announcedLimitBytes)
    }

    /// Passes the block of a reply that has no other metadata.
    @inline(never)
    func withLoad<Result>(of load: LoopLoad, _ body: (RawSpan) -> Result) -> Result {
        if !metadata.isKnown { return body(RawSpan()) }
        return load.withReport(&nextLoadReport, body)
    }
}
