public import ArgumentParser

/// How the benchmark's server handles a call.
public enum BenchHandler: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// A function that is not async.
    case sync
    /// An async function that awaits another one, and never suspends.
    case async
    /// As `async`, but a call of price 5 takes 5 ms: it sleeps.
    case slow
}
