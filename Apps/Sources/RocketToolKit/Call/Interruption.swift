import RocketProgram
import RocketSystem

/// Ctrl-C and SIGTERM while a call runs: the call is cancelled, then the process ends by the signal.
enum Interruption {
    /// Runs `body`.
    ///
    /// - Parameter cancel: called at the first signal; a second one ends the process at once.
    static func whileRunning(
        cancel: @escaping @Sendable () -> Void, _ body: () async throws -> Void
    ) async throws {
        let received = Locked<Signal?>(nil)
        do {
            try Signals.listen(for: [.interrupt, .terminate]) { signal in
                let isFirst = received.withLock { received in
                    defer { received = received ?? signal }
                    return received == nil
                }
                if !isFirst { Signals.endProcess(by: signal) }
                cancel()
            }
        } catch { throw ProgramFailure(error) }
        do { try await body() } catch {
            if let signal = received.withLock({ $0 }) { Signals.endProcess(by: signal) }
            throw error
        }
        if let signal = received.withLock({ $0 }) { Signals.endProcess(by: signal) }
    }
}
