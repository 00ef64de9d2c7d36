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
        guard let value = box.cell.value else {
            preconditionFailure("a loop-bound value is there as long as its box")
        }
        return value
    }

    /// Ends with the last copy, wherever that is.
    private final class Box {
        let cell: Cell
        let loop: EventLoop

        init(value: Value, loop: EventLoop) {
            cell = Cell(value)
            self.loop = loop
        }

        deinit {
            if loop.isInLoop { return }
            // Emptied at home, so that it does not matter who lets go of the cell last. When the
            // loop has ended, no thread uses the value there.
            let cell = self.cell
            loop.execute { _ in cell.value = nil }
        }
    }

    // SAFETY: the value is touched on the loop only, or by the last holder of a refused task.
    private final class Cell: @unchecked Sendable {
        var value: Value?
        init(_ value: Value) { self.value = value }
    }
}
