import CRocketLog
import RocketSystem
import Synchronization

/// One bounded buffer of records. The threads that it serves append in turn under its lock, which
/// the writer never takes: the lock is contended only when two threads share the buffer.
@safe
final class LogShard: Sendable {
    /// What became of a line.
    enum Outcome {
        /// `isFilling`: the writer had better come before its time.
        case accepted(isFilling: Bool)
        case full
        case closed
    }

    struct Counts {
        var accepted: UInt64 = 0
        /// By stream.
        var dropped: (rpc: UInt64, app: UInt64) = (0, 0)
        var isClosed = false
    }

    // SAFETY: the ring lives as long as this object; appending happens under `counts`' lock,
    // reading on the one thread that drains.
    nonisolated(unsafe) let ring: OpaquePointer
    private let counts = Locked(Counts())
    private let fillingBytes: UInt64
    /// Where the writer stood when an ERROR last waited for nothing: until it moves, no other does.
    private let stalledTail = Atomic<UInt64>(.max)

    init(bytes: Int) throws(SystemError) {
        guard let ring = unsafe rocket_log_ring_create(UInt64(bytes)) else {
            throw SystemError("log buffer of \(bytes) bytes", .outOfMemory)
        }
        unsafe self.ring = ring
        fillingBytes = UInt64(bytes / 2)
    }

    deinit { unsafe rocket_log_ring_destroy(ring) }

    func append(_ record: UnsafePointer<rocket_log_record>) -> Outcome {
        counts.withLock { counts in
            if counts.isClosed { return .closed }
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

    /// From now on every line is refused.
    func close() { counts.withLock { $0.isClosed = true } }

    var currentCounts: Counts { counts.withLock { $0 } }

    /// Whether waiting is worth while: false when nothing moved since someone waited for nothing.
    var isWorthWaiting: Bool {
        unsafe stalledTail.load(ordering: .relaxed) != rocket_log_ring_tail(ring)
    }

    func noteVainWait() {
        unsafe stalledTail.store(rocket_log_ring_tail(ring), ordering: .relaxed)
    }
}
