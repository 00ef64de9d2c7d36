import RocketSystem

/// Call objects of one method that wait to be used again, so that a call in steady state allocates
/// nothing. Any thread.
@usableFromInline
final class CallPool: Sendable {
    /// The most that are kept: what a burst leaves behind is let go.
    static let capacity = 1024

    private let spares = Locked(ContiguousArray<OutgoingCall>())

    @usableFromInline
    init() {}

    @usableFromInline
    func take() -> OutgoingCall? { spares.withLock { $0.popLast() } }

    @usableFromInline
    func give(_ call: OutgoingCall) {
        spares.withLock { spares in
            if spares.count < Self.capacity { spares.append(call) }
        }
    }
}
