import RocketSystem

/// Whether a sink can write, as a value: told of successes, failures and losses, it says what has
/// to be reported, once per change.
struct LogSinkHealth {
    private var error: SystemError?
    private var lostBeforeFailure: UInt64 = 0
    private var notice: LogSinkNotice?
    private(set) var lostLines: UInt64 = 0

    mutating func lose(_ lines: Int) { lostLines += UInt64(lines) }

    mutating func fail(_ error: SystemError) {
        if self.error == nil {
            lostBeforeFailure = lostLines
            notice = .failing(error)
        }
        self.error = error
    }

    mutating func succeed() {
        guard error != nil else { return }
        error = nil
        notice = .recovered(lostLines: lostLines - lostBeforeFailure)
    }

    mutating func takeNotice() -> LogSinkNotice? {
        defer { notice = nil }
        return notice
    }
}
