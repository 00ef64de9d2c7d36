/// One entry of a loop's queue.
enum LoopTask {
    case closure(@Sendable (Reactor) -> Void)
    /// A job of an actor that is pinned to the loop.
    case isolated(UnownedJob)
    /// A job of no actor, whose task prefers the loop.
    case preferring(UnownedJob)
    /// A job of an actor that is pinned to the loop, whose task prefers the loop.
    case both(UnownedJob, PreferredLoopExecutor)
}

extension LoopTask {
    /// For logs of slow ones.
    var label: StaticString {
        switch self {
        case .closure: "execute"
        case .isolated: "actor job"
        case .preferring: "task job"
        case .both: "actor job"
        }
    }
}
