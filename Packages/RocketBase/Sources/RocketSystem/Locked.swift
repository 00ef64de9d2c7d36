public import Synchronization

/// A value protected by a lock: `Mutex` in a form that the thread sanitizer understands.
///
/// The library that contains `Mutex` is not instrumented, so the sanitizer does not see the order
/// that it establishes, and reports accesses under the lock as races. Here each holder also passes
/// the order on through an atomic in instrumented code: one load and one store, which are plain
/// moves on x86.
public struct Locked<Value: ~Copyable>: ~Copyable, Sendable {
    @usableFromInline let mutex: Mutex<Value>
    @usableFromInline let order = Atomic(false)

    /// Protects `value` by a new lock.
    @inlinable
    public init(_ value: consuming sending Value) { mutex = Mutex(value) }

    /// Runs `body` with exclusive access to the value. A call from within `body` deadlocks. Any
    /// thread.
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

    /// Runs `body` as `withLock` does, if no thread has the lock. Does not wait. Any thread.
    ///
    /// - Returns: nil, and `body` has not run, where another thread has the lock.
    @inlinable
    public borrowing func withLockIfFree<R: ~Copyable, E: Error>(
        _ body: (inout sending Value) throws(E) -> sending R
    ) throws(E) -> sending R? {
        try mutex.withLockIfAvailable { value throws(E) in
            _ = order.load(ordering: .acquiring)
            defer { order.store(true, ordering: .releasing) }
            return try body(&value)
        }
    }
}

extension Locked where Value == Void {
    /// Runs `body` without the lock, ordered after earlier and before later holders. For callers
    /// that can prove by other means that the lock is free and stays free until `body` returns;
    /// otherwise there is a data race.
    @inlinable
    public borrowing func withoutLock<R: ~Copyable, E: Error>(
        _ body: () throws(E) -> R
    ) throws(E) -> R {
        _ = order.load(ordering: .acquiring)
        defer { order.store(true, ordering: .releasing) }
        return try body()
    }
}
