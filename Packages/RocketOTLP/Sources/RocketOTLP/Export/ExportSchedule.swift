import RocketSystem
import RocketTCP

/// When spans are exported: by full batches or after an interval, one export at a time; one that fails
/// for a reason that passes is repeated, later and later; at the end what is left, within a limit. A
/// value without I/O: it is asked for the next step, and told how each attempt has ended.
struct ExportSchedule {
    /// What to do next.
    enum Step: Hashable {
        /// Wait until then, or until there are other spans or a request; nil: for these only.
        case wait(until: MonotonicTime?)
        /// Take a batch, and export it within that time.
        case export(timeout: Duration)
        /// Export the last batch again, within that time.
        case retry(timeout: Duration)
        /// Nothing more: count what is left as lost.
        case end
    }

    /// How an attempt has ended.
    enum Outcome: Hashable {
        case accepted
        /// The collector does not want these spans.
        case refused
        /// It may take them later, not before so long has passed; nil: it does not say.
        case failed(retryAfter: Duration?)
    }

    /// What waits.
    struct Queue: Hashable {
        var isEmpty = true
        /// Enough for a full batch.
        var isFull = false
        var isFlushRequested = false
    }

    /// How long a batch is repeated.
    static let longestRetrying = Duration.seconds(300)
    /// A collector that wants more time is asked again nevertheless.
    private static let longestWait = Duration.seconds(60)

    private let interval: Duration
    private let timeout: Duration
    private let drainTimeout: Duration
    private var backOff: BackOff
    /// When the oldest span that waits has waited for long enough; nil: none waits.
    private var due: MonotonicTime?
    /// Since when the batch at hand has failed, and when it is tried again; nil: there is none.
    private var failing: (since: MonotonicTime, retryAt: MonotonicTime)?
    private var endsAt: MonotonicTime?

    init(
        interval: Duration, timeout: Duration, drainTimeout: Duration, backOff: BackOff
    ) {
        self.interval = interval
        self.timeout = timeout
        self.drainTimeout = drainTimeout
        self.backOff = backOff
    }

    /// No more spans come: what is left is exported within the limit, and a batch that waits for its
    /// next attempt is tried at once.
    mutating func shutDown(at now: MonotonicTime) {
        if endsAt != nil { return }
        endsAt = now + drainTimeout
        failing?.retryAt = now
    }

    /// Returns what to do now.
    mutating func next(_ queue: Queue, at now: MonotonicTime) -> Step {
        if let endsAt, now >= endsAt { return .end }
        let most = endsAt.map { min(timeout, $0 - now) } ?? timeout
        if let failing {
            if now >= failing.retryAt { return .retry(timeout: most) }
            return .wait(until: min(failing.retryAt, endsAt ?? failing.retryAt))
        }
        if queue.isEmpty {
            due = nil
            return endsAt == nil ? .wait(until: nil) : .end
        }
        let dueNow = due ?? now + interval
        due = dueNow
        guard queue.isFull || queue.isFlushRequested || endsAt != nil || now >= dueNow else {
            return .wait(until: dueNow)
        }
        due = nil
        return .export(timeout: most)
    }

    /// An attempt has ended.
    ///
    /// - Returns: whether the batch is kept, for a retry; otherwise it is done with.
    mutating func ended(
        _ outcome: Outcome, at now: MonotonicTime, using random: inout some RandomNumberGenerator
    ) -> Bool {
        guard case .failed(let wanted) = outcome else {
            failing = nil
            backOff.succeeded()
            return false
        }
        let since = failing?.since ?? now
        let wait = max(backOff.next(using: &random), min(wanted ?? .zero, Self.longestWait))
        if now + wait - since > Self.longestRetrying {
            failing = nil
            return false
        }
        failing = (since, now + wait)
        return true
    }
}
