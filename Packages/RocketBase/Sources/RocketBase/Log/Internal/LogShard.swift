import CRocketLog
import RocketSystem
import Synchronization

/// One bounded buffer of records. Threads append under its lock, which the writer never takes, so
/// the lock is contended only when two threads share the buffer. Any thread.
@safe
final class LogShard: Sendable {
    /// The outcome of appending a line.
    enum Outcome {
        /// `isFilling`: the buffer is half full, so the writer should be woken.
        case accepted(isFilling: Bool)
        case full
        case closed
    }

    struct Counts {
        var accepted: UInt64 = 0
        /// Dropped lines by stream.
        var dropped: (rpc: UInt64, app: UInt64) = (0, 0)
        var isClosed = false
        /// Records the lines, too.
        var flight: FlightLines?
    }

    // SAFETY: the ring lives as long as this object; appending happens under `counts`' lock,
    // reading on the thread that holds the lock of the consumer.
    nonisolated(unsafe) let ring: OpaquePointer
    private let counts: Locked<Counts>
    private let fillingBytes: UInt64
    /// The tail of the ring when an ERROR last waited without success. Until the tail moves,
    /// further ERRORs don't wait.
    private let stalledTail = Atomic<UInt64>(.max)

    /// - Parameter lines: a recorder of the lines; nil: none.
    init(bytes: Int, recordedBy lines: FlightLines? = nil) throws(SystemError) {
        var counts = Counts()
        counts.flight = lines
        self.counts = Locked(counts)
        guard let ring = unsafe rocket_log_ring_create(UInt64(bytes)) else {
            throw SystemError("log buffer of \(bytes) bytes", .outOfMemory)
        }
        unsafe self.ring = ring
        fillingBytes = UInt64(bytes / 2)
    }

    deinit { unsafe rocket_log_ring_destroy(ring) }

    /// - Parameter isRepeated: the line was rejected before, because the buffer was full: it has been
    ///   recorded.
    func append(
        _ record: UnsafePointer<rocket_log_record>, isRepeated: Bool = false
    ) -> Outcome {
        counts.withLock { counts in
            if counts.isClosed { return .closed }
            if !isRepeated { unsafe counts.flight?.append(record) }
            let used = unsafe rocket_log_ring_push(ring, record)
            if used == 0 { return .full }
            counts.accepted += 1
            return .accepted(isFilling: used > fillingBytes)
        }
    }

    func countDrop(_ stream: LogStream) {
        counts.withLock {
            if stream == .rpc { $0.dropped.rpc += 1 } else { $0.dropped.app += 1 }
        }
    }

    /// Rejects all further lines.
    func close() { counts.withLock { $0.isClosed = true } }

    var currentCounts: Counts { counts.withLock { $0 } }

    /// Whether a line may wait for room: false while the writer has not moved since the last wait
    /// without success.
    var allowsWaiting: Bool {
        unsafe stalledTail.load(ordering: .relaxed) != rocket_log_ring_tail(ring)
    }

    /// Records a wait without success.
    func recordTimedOutWait() {
        unsafe stalledTail.store(rocket_log_ring_tail(ring), ordering: .relaxed)
    }
}
