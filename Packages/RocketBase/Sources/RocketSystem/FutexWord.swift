import CRocketSystem

/// A 32-bit number on which threads can wait until it changes (futex(2)). Any thread.
@safe
public final class FutexWord: Sendable {
    // SAFETY: the memory lives as long as this object and is only accessed by atomic operations.
    private nonisolated(unsafe) let word: UnsafeMutablePointer<UInt32>

    /// - Parameter value: the initial number.
    public init(_ value: UInt32 = 0) {
        unsafe word = .allocate(capacity: 1)
        unsafe word.initialize(to: value)
    }

    deinit { unsafe word.deallocate() }

    /// The current number.
    public var value: UInt32 { unsafe rocket_word_load(word) }

    /// Stores `value` and returns the previous number.
    @discardableResult
    public func exchange(_ value: UInt32) -> UInt32 { unsafe rocket_word_exchange(word, value) }

    /// Stores `value` if the number is `expected`; returns whether it was.
    public func replace(_ expected: UInt32, by value: UInt32) -> Bool {
        unsafe rocket_word_replace(word, expected, value) == 1
    }

    /// Adds one (wrapping) and returns the sum.
    @discardableResult
    public func increment() -> UInt32 { unsafe rocket_word_add(word, 1) }

    /// Subtracts one (wrapping) and returns the difference.
    @discardableResult
    public func decrement() -> UInt32 { unsafe rocket_word_add(word, .max) }

    /// Blocks the thread while the number is `value`, at most for `timeout` (nil: no limit). It
    /// can also return without a change, so callers check their condition again.
    public func wait(while value: UInt32, atMost timeout: Duration?) {
        let limit = timeout.map { max(0, $0.wholeNanoseconds) } ?? -1
        unsafe rocket_futex_wait(word, value, limit)
    }

    /// Wakes all threads that wait on the number.
    public func wakeAll() { unsafe rocket_futex_wake_all(word) }
}
