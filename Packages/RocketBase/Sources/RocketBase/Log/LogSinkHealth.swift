public import RocketSystem

/// Whether a sink can write, as a value: told of successes, failures and losses, it says what has
/// to be reported, once per change.
public struct LogSinkHealth: Sendable {
    private var error: SystemError?
    private var lostBeforeFailure: UInt64 = 0
    private var notice: LogSinkNotice?
    /// Lines lost so far.
    public private(set) var lostLines: UInt64 = 0

    /// In good health.
    public init() {}

    /// Lines could not be written.
    public mutating func lose(_ lines: Int) { lostLines += UInt64(lines) }

    /// A write failed.
    public mutating func fail(_ error: SystemError) {
        if self.error == nil {
            lostBeforeFailure = lostLines
            notice = .failing(error)
        }
        self.error = error
    }

    /// A write succeeded.
    public mutating func succeed() {
        guard error != nil else { return }
        error = nil
        notice = .recovered(lostLines: lostLines - lostBeforeFailure)
    }

    /// What changed since it was last asked.
    public mutating func takeNotice() -> LogSinkNotice? {
        defer { notice = nil }
        return notice
    }
}
