import EndToEndKit
import Foundation
import Testing

/// Restarts of order_server behind a socket of socket activation, while clients make calls.
struct RestartTests {
    /// Makes orders without idempotency keys, 2,000 a second, from one short run of
    /// rocket_bench_client after the other: a run fails if one of its calls does.
    private final class Load: @unchecked Sendable {
        // SAFETY: both are used under the lock.
        private let lock = NSCondition()
        private var results: [ProcessResult] = []
        private var isEnding = false

        init(_ port: UInt16) {
            Thread.detachNewThread { [self] in
                while !isOver {
                    guard
                        let result = try? Programs.run(
                            "rocket_bench_client",
                            [
                                "--to", "127.0.0.1:\(port)", "--connections", "4", "--in-flight",
                                "64", "--rate", "2000", "--calls", "4000",
                            ])
                    else { return }
                    lock.withLock {
                        results.append(result)
                        lock.broadcast()
                    }
                }
            }
        }

        private var isOver: Bool { lock.withLock { isEnding } }

        /// Lets the present run end, and returns the results of all.
        func end() -> [ProcessResult] {
            lock.lock()
            defer { lock.unlock() }
            isEnding = true
            let count = results.count
            while results.count == count { lock.wait() }
            return results
        }
    }

    @Test("50 restarts under load lose no call, also of calls without idempotency keys")
    func underLoad() throws {
        let workspace = try Workspace()
        let socket = try ReservedPort(isListening: true)
        func start() throws -> OrderServerProcess {
            try OrderServerProcess(
                in: workspace, launcher: FakeServiceManager.activation(names: "rpc"),
                environment: ["ROCKET_LOG_LEVEL": "INFO"], input: socket.duplicate())
        }
        var server = try start()
        let load = Load(socket.port)
        for number in 0..<50 {
            // Some calls of its own, behind those of the load: the server has served them.
            let probe = try RawConnection(port: socket.port)
            for _ in 0..<20 {
                try probe.send(TinyPBBytes.goldenRequest)
                #expect(try probe.receiveFrame()?.errorCode == 0)
            }
            let result = server.stop(closing: probe)
            #expect(result.status == 0 && !result.wasKilled, "restart \(number): \(result)")
            server = try start()
        }
        let results = load.end()
        for result in results {
            #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        }
        #expect(server.stop().status == 0)
    }
}
