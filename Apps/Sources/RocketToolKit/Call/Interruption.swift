import RocketProgram
import RocketSystem

/// Ctrl-C and SIGTERM while a call runs: the call is cancelled, then the process ends by the signal.
/// One for a process.
final class Interruption: Sendable {
    private let received = Locked<Signal?>(nil)

    /// Whether a signal has come.
    var hasBegun: Bool { received.withLock { $0 != nil } }

    /// Runs `body`.
    ///
    /// - Parameter cancel: called at the first signal; a second one ends the process at once.
    func whileRunning(
        cancel: @escaping @Sendable () -> Void, _ body: () async throws -> Void
    ) async throws {
        do {
            try Signals.listen(for: [.interrupt, .terminate]) { [self] signal in
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
