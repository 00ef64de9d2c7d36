import RocketReactor
public import Testing

/// Runs each test on a thread of its own: `@Suite(.ownThread)`. For tests that block, as those that
/// read from a bare socket do.
///
/// Swift's pool has as many threads as the machine has cores. Two tests that block there for what a
/// server sends wait for ever where the server needs a thread of the pool, too, to drain. So servers
/// are started in unstructured tasks, or in child tasks with a preference for
/// `globalConcurrentExecutor`.
public struct OwnThread: SuiteTrait, TestTrait, TestScoping {
    /// Applies to each suite below and to each of its tests.
    public var isRecursive: Bool { true }

    /// Runs one test case on a new thread.
    @concurrent
    public func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        let thread = try IOThread(name: "test")
        let result: Result<Void, any Error>
        do {
            result = .success(
                try await withTaskExecutorPreference(thread.loop) { try await function() })
        } catch { result = .failure(error) }
        thread.stop()
        await thread.ended()
        try result.get()
    }
}

extension Trait where Self == OwnThread {
    /// Each test on a thread of its own.
    public static var ownThread: Self { Self() }
}
