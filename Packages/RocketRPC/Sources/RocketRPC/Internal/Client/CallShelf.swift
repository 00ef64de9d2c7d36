import RocketSystem

/// Call objects of one method that wait to be used again, so that a call in steady state allocates
/// nothing. Any thread.
@usableFromInline
final class CallShelf: Sendable {
    /// The most that are kept: what a burst leaves behind is let go.
    static let capacity = 1024

    private let spares = Locked(ContiguousArray<any AnyObject & Sendable>())

    init() {}

    @usableFromInline
    func take() -> (any AnyObject & Sendable)? { spares.withLock { $0.popLast() } }

    @usableFromInline
    func give(_ call: any AnyObject & Sendable) {
        spares.withLock { spares in
            if spares.count < Self.capacity { spares.append(call) }
        }
    }
}
