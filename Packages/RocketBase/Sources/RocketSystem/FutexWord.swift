import CRocketSystem

/// A number that threads can sleep on until it changes. Any thread.
@safe
public final class FutexWord: Sendable {
    // SAFETY: the memory lives as long as this object and is only reached by atomic operations.
    private nonisolated(unsafe) let word: UnsafeMutablePointer<UInt32>

    /// Starts at `value`.
    public init(_ value: UInt32 = 0) {
        unsafe word = .allocate(capacity: 1)
        unsafe word.initialize(to: value)
    }

    deinit { unsafe word.deallocate() }

    /// What it holds now.
    public var value: UInt32 { unsafe rocket_word_load(word) }

    /// Stores `value` and returns what was there.
    @discardableResult
    public func exchange(_ value: UInt32) -> UInt32 { unsafe rocket_word_exchange(word, value) }

    /// Adds one (wrapping) and returns the sum.
    @discardableResult
    public func increment() -> UInt32 { unsafe rocket_word_add(word, 1) }

    /// Subtracts one (wrapping) and returns the difference.
    @discardableResult
    public func decrement() -> UInt32 { unsafe rocket_word_add(word, .max) }

    /// Sleeps while the number is `value`, at most `timeout` (nil: no limit). May also return
    /// for no reason: look again.
    public func wait(while value: UInt32, atMost timeout: Duration?) {
        let limit = timeout.map { max(0, $0.wholeNanoseconds) } ?? -1
        unsafe rocket_futex_wait(word, value, limit)
    }

    /// Wakes every thread that sleeps on it.
    public func wakeAll() { unsafe rocket_futex_wake_all(word) }
}
