import RocketSystem
public import Testing

/// Runs tests one after the other, over all suites with this trait: `@Suite(.oneAtATime)`.
///
/// For a package whose tests observe the end of sockets and also start processes, as exit tests do.
/// Between its fork and its exec a child holds a copy of every descriptor of this process, so a
/// socket that another test closes meanwhile does not end yet: the next tick of that test would not
/// observe the end.
public struct OneAtATime: SuiteTrait, TestTrait, TestScoping {
    /// Applies to each suite below and to each of its tests.
    public var isRecursive: Bool { true }

    /// Runs one test case while no other test case with the trait runs.
    @concurrent
    public func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        // A suite itself does nothing. Waiting in it would block its own tests.
        guard testCase != nil else { return try await function() }
        await Self.turn.take()
        defer { Self.turn.pass() }
        try await function()
    }

    private static let turn = Turn()
}

extension Trait where Self == OneAtATime {
    /// One test case at a time over all suites with this trait.
    public static var oneAtATime: Self { Self() }
}

/// A lock for tasks, which get it in the order of their requests.
private final class Turn: Sendable {
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
