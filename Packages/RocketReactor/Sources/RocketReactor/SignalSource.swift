public import RocketSystem

/// Signals as events of a loop. Bound to its thread; created by `Reactor.watchSignals`. Delivers
/// until it is cancelled or the loop ends.
public final class SignalSource: IOHandler {
    private let descriptor: SignalDescriptor
    private let body: (Signal, Reactor) -> Void
    private var registration: Registration?

    fileprivate init(
        _ signals: [Signal], on reactor: Reactor, _ body: @escaping (Signal, Reactor) -> Void
    ) throws(SystemError) {
        descriptor = try SignalDescriptor(signals)
        self.body = body
        registration = try reactor.register(
            descriptor.descriptor, interest: .read, label: "signals", handler: self)
    }

    /// Ends the delivery. The signals remain blocked, and pending ones wait for another source.
    public func cancel() {
        registration?.cancel()
        registration = nil
    }

    /// Reads the pending signals. Called by the reactor.
    public func ready(_ events: IOEvents, on reactor: Reactor) {
        while registration != nil, case .done(let signal) = descriptor.next() {
            body(signal, reactor)
        }
    }
}

extension Reactor {
    /// Calls `body` on the loop for each of `signals` that the process receives. They must be
    /// blocked in all threads, by `Signals.block` first in `main`: otherwise the kernel may deliver
    /// them to a thread, with their default action. Several of the same kind in quick succession
    /// may arrive as one.
    ///
    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM).
    public func watchSignals(
        _ signals: [Signal], _ body: @escaping (Signal, Reactor) -> Void
    ) throws(SystemError) -> SignalSource {
        precondition(Signals.areBlocked(signals), "signals are blocked before they are watched")
        return try SignalSource(signals, on: self, body)
    }
}
