// SAFETY: the value is created on the loop (a Reactor proves it), read after a check that traps off
// the loop, and released there.

/// A Sendable box around a value that is bound to a loop's thread. Any thread may copy and release
/// the box; only the loop's thread may use the value, which is also released there.
public struct LoopBound<Value>: @unchecked Sendable {
    private let box: Box

    /// Boxes the value, on the loop's thread.
    public init(_ value: Value, on reactor: Reactor) {
        box = Box(value: value, loop: reactor.loop)
    }

    /// The loop on whose thread the value may be used.
    public var loop: EventLoop { box.loop }

    /// Returns the value. Traps off the loop's thread.
    public func get() -> Value {
        precondition(box.loop.isInLoop, "a loop-bound value is used on its loop's thread only")
        guard let value = box.cell.value else {
            preconditionFailure("a loop-bound value is there as long as its box")
        }
        return value
    }

    /// Ends with the last copy, on any thread.
    private final class Box {
        let cell: Cell
        let loop: EventLoop

        init(value: Value, loop: EventLoop) {
            cell = Cell(value)
            self.loop = loop
        }

        deinit {
            if loop.isInLoop { return }
            // Emptied on the loop, so that any thread may release the cell last. When the loop has
            // ended, no thread uses the value.
            let cell = self.cell
            loop.execute { _ in cell.value = nil }
        }
    }

    // SAFETY: the value is accessed on the loop only, or by the last holder of a refused task.
    private final class Cell: @unchecked Sendable {
        var value: Value?
        init(_ value: Value) { self.value = value }
    }
}
