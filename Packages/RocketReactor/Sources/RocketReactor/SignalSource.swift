public import RocketSystem

/// Signals as events of a loop. Bound to its thread; made by `Reactor.watchSignals`. Stays until
/// it is cancelled or the loop ends.
public final class SignalSource: IOHandler {
    private let descriptor: SignalDescriptor
    private let body: (Signal, Reactor) -> Void
    private var registration: Registration?

    init(
        _ signals: [Signal], on reactor: Reactor, _ body: @escaping (Signal, Reactor) -> Void
    ) throws(SystemError) {
        descriptor = try SignalDescriptor(signals)
        self.body = body
        registration = try reactor.register(
            descriptor.descriptor, interest: .read, label: "signals", handler: self)
    }

    /// From now on the signals wait, blocked, for another source.
    public func cancel() {
        registration?.cancel()
        registration = nil
    }

    /// The reactor calls this.
    public func ready(_ events: IOEvents, on reactor: Reactor) {
        while registration != nil, case .done(let signal) = descriptor.next() {
            body(signal, reactor)
        }
    }
}

extension Reactor {
    /// Calls `body` on the loop for each of `signals` that the process gets. They must be blocked
    /// in all threads: `Signals.block` first in `main`. Several of the same kind that come close
    /// together may arrive as one.
    ///
    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM).
    public func watchSignals(
        _ signals: [Signal], _ body: @escaping (Signal, Reactor) -> Void
    ) throws(SystemError) -> SignalSource {
        precondition(Signals.areBlocked(signals), "signals are blocked before they are watched")
        return try SignalSource(signals, on: self, body)
    }
}
