import RocketBase
import RocketReactor
import RocketRPC
import RocketSystem
import RocketTCP

/// A name that is resolved on a loop with a thread of its own. Any thread.
final class Resolving: Sendable {
    let thread: IOThread
    private let reports: AsyncStream<Result<[RPCEndpoint], RPCError>>
    private let resolution = Locked<LoopBound<any RPCResolution>?>(nil)

    init(_ target: String, by resolver: any RPCResolver) throws {
        let target = try RPCTarget(target)
        try resolver.check(target)
        thread = try IOThread(name: "resolving")
        let (reports, continuation) = AsyncStream.makeStream(
            of: Result<[RPCEndpoint], RPCError>.self)
        self.reports = reports
        let report = RPCResolverReport(on: thread.loop) { continuation.yield($1) }
        thread.loop.execute { reactor in
            let resolution = LoopBound(
                resolver.start(target, on: reactor, report: report), on: reactor)
            self.resolution.withLock { $0 = resolution }
        }
    }

    /// Waits for a list that fulfils the condition.
    func list(where isRight: ([RPCEndpoint]) -> Bool = { _ in true }) async -> [RPCEndpoint] {
        for await case .success(let list) in reports where isRight(list) { return list }
        return []
    }

    /// Waits for the addresses of a list to be these.
    func addresses(_ expected: String...) async {
        _ = await list { $0.map(\.text) == expected }
    }

    /// Waits for a failure.
    func failure() async -> String {
        for await case .failure(let error) in reports { return error.message }
        return ""
    }

    /// Ends the resolution and its thread.
    func end() async {
        thread.loop.execute { _ in self.resolution.withLock { $0 }?.get().cancel() }
        thread.stop()
        await thread.ended()
    }
}

/// Resolves a name until `body` returns.
func resolving(
    _ target: String, by resolver: any RPCResolver, _ body: (Resolving) async throws -> Void
) async throws {
    let resolving = try Resolving(target, by: resolver)
    do {
        try await body(resolving)
        await resolving.end()
    } catch {
        await resolving.end()
        throw error
    }
}

extension RPCEndpoint {
    var text: String { addresses.map(\.description).joined(separator: ",") }
}
