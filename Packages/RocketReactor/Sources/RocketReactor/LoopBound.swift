// SAFETY: the value is made on the loop (a Reactor proves it), read after a check that traps off
// the loop, and released there.

/// A value that is bound to a loop's thread, in a box that may go anywhere: it can be carried and
/// dropped on any thread, but only used on its own.
public struct LoopBound<Value>: @unchecked Sendable {
    private let box: Box

    /// On the loop's thread.
    public init(_ value: Value, on reactor: Reactor) {
        box = Box(value: value, loop: reactor.loop)
    }

    /// The loop where the value may be used.
    public var loop: EventLoop { box.loop }

    /// The value. Traps when not on the loop's thread.
    public func get() -> Value {
        precondition(box.loop.isInLoop, "a loop-bound value is used on its loop's thread only")
        return box.value
    }

    private final class Box {
        let value: Value
        let loop: EventLoop

        init(value: Value, loop: EventLoop) {
            self.value = value
            self.loop = loop
        }

        deinit {
            if loop.isInLoop { return }
            // Carries the last reference home. When the loop has ended, no thread uses it there.
            let last = Last(value: value)
            loop.execute { _ in last.touch() }
        }
    }

    // SAFETY: as above; nothing but the release happens to it.
    private struct Last: @unchecked Sendable {
        let value: Value
        func touch() {}
    }
}
