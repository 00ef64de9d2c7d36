public import Synchronization

/// A value behind a lock: `Mutex`, in a form that the thread sanitizer understands.
///
/// The sanitizer does not see the order that `Mutex` makes, since the library that holds it is not
/// instrumented, and reports what is well locked as a race. Here each holder also passes the
/// order on through an atomic in code of ours: one load and one store, plain moves on x86.
public struct Locked<Value: ~Copyable>: ~Copyable, Sendable {
    @usableFromInline let mutex: Mutex<Value>
    @usableFromInline let order = Atomic(false)

    /// Puts the value behind the lock.
    @inlinable
    public init(_ value: consuming sending Value) { mutex = Mutex(value) }

    /// Runs `body` with the value while no other thread has it. Not to be called from inside
    /// `body`. Any thread.
    @inlinable
    public borrowing func withLock<R: ~Copyable, E: Error>(
        _ body: (inout sending Value) throws(E) -> sending R
    ) throws(E) -> sending R {
        try mutex.withLock { value throws(E) in
            _ = order.load(ordering: .acquiring)
            defer { order.store(true, ordering: .releasing) }
            return try body(&value)
        }
    }
}

extension Locked where Value == Void {
    /// Runs `body` without the lock, in the order that its holders have: for who knows by other
    /// means that there is no holder now, and that nobody can become one meanwhile.
    @inlinable
    public borrowing func withoutLock<R: ~Copyable, E: Error>(
        _ body: () throws(E) -> R
    ) throws(E) -> R {
        _ = order.load(ordering: .acquiring)
        defer { order.store(true, ordering: .releasing) }
        return try body()
    }
}
