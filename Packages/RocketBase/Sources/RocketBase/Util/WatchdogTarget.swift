/// A part of the process that a watchdog asks whether it still moves.
public struct WatchdogTarget: Sendable {
    /// As it stands in the log when the part is stuck.
    public let name: String
    /// Has the part run `answer` by itself as soon as it comes to it: on its own thread, between
    /// its other work. Returns at once. A part that has ended answers at once.
    public let ask: @Sendable (_ answer: @escaping @Sendable () -> Void) -> Void

    /// A part and the way to ask it.
    public init(
        name: String, ask: @escaping @Sendable (_ answer: @escaping @Sendable () -> Void) -> Void
    ) {
        self.name = name
        self.ask = ask
    }
}

extension LogSystem {
    /// The log's writer: a disk or a journal that hangs shows there.
    public var watchdogTarget: WatchdogTarget {
        WatchdogTarget(name: "log writer") { [weak self] answer in
            if let self { askWriter(answer) } else { answer() }
        }
    }
}
