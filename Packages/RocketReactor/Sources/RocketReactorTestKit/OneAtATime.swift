import RocketSystem
public import Testing

/// Lets tests run one after the other, over all suites that carry it: `@Suite(.oneAtATime)`.
///
/// For a package whose tests watch sockets end and also start processes (an exit test does):
/// between its fork and its exec a child holds a copy of every descriptor of this process, so
/// what another test closes meanwhile does not end yet, and that test's next tick sees nothing.
public struct OneAtATime: SuiteTrait, TestTrait, TestScoping {
    /// Each suite below and each of its tests.
    public var isRecursive: Bool { true }

    /// Runs one test case while no other one runs that carries the trait.
    @concurrent
    public func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        // A suite itself does nothing, and waiting in it would keep its own tests waiting.
        guard testCase != nil else { return try await function() }
        await Self.turns.take()
        defer { Self.turns.pass() }
        try await function()
    }

    private static let turns = Turns()
}

extension Trait where Self == OneAtATime {
    /// One test case at a time over all suites that say so.
    public static var oneAtATime: Self { Self() }
}

/// One turn for all who ask, in the order in which they asked.
private final class Turns: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isTaken {
                    state.waiting.append(continuation)
                    return false
                }
                state.isTaken = true
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    func pass() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiting.isEmpty {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
