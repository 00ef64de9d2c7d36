import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketAdmin

/// What needs attention.
struct FindingTests {
    /// A view ten seconds after another one, in which so many calls have ended of which so many failed.
    private func view(
        calls: Int, failures: Int, _ change: (inout RPCServerSnapshot) -> Void = { _ in }
    ) -> AdminView {
        var snapshot = Samples.snapshot(
            age: .seconds(20), calls: 100 + calls - failures, failures: 7 + failures)
        change(&snapshot)
        var view = Samples.view(snapshot)
        view.history.add(
            Samples.snapshot(age: .seconds(10), calls: 100, failures: 7), processorTime: .zero)
        view.history.add(snapshot, processorTime: .zero)
        return view
    }

    private func texts(_ view: AdminView) -> [String] {
        view.findings.filter { $0.page == .methods }.map(\.text)
    }

    @Test("a server on which nothing is wrong has none, and the worst come first")
    func order() {
        #expect(Samples.view().findings.isEmpty)
        var snapshot = Samples.snapshot()
        snapshot.state = .draining
        snapshot.loops[0].isStuck = true
        let found = Samples.view(snapshot).findings
        #expect(found.map(\.tone) == [.bad, .warning])
        #expect(found[0].page == .loops && found[0].text.contains("blocked"))
    }

    @Test(
        "a method is named from three failures in ten seconds on, if they are more than 5 % of its calls",
        arguments: [(3, 2, false), (3, 3, true), (59, 3, true), (60, 3, false), (200, 11, true)])
    func threshold(calls: Int, failures: Int, isNamed: Bool) {
        #expect(texts(view(calls: calls, failures: failures)).isEmpty == !isNamed)
    }

    @Test("a method that fails is named with its most frequent code, its share and the last text")
    func failures() {
        func text(_ error: RPCServerSnapshot.Method.Failure?) -> [String] {
            texts(
                view(calls: 12, failures: 4) {
                    $0.methods[0].ended[.unavailable] = 7 + 1
                    $0.methods[0].ended[.resourceExhausted] = 3
                    $0.methods[0].lastError = error
                })
        }
        let most =
            "shop.v1.Order.make: 33 % of its calls fail, 75 % of them with RESOURCE_EXHAUSTED"
        #expect(text(nil) == ["\(most)."])
        #expect(text(.init(code: .unavailable, text: "other", time: Samples.time)) == ["\(most)."])
        #expect(
            text(.init(code: .resourceExhausted, text: "500 wait", time: Samples.time))
                == ["\(most): 500 wait."])
    }

    @Test(
        "a limit that is near, or has refused something in ten seconds, is named with its setting")
    func limits() {
        let found = view(calls: 0, failures: 0) {
            $0.limits[0].refusals = 5
            $0.limits.append(.init(name: "watches", limit: 10, current: 9, refusals: 0))
        }.findings.filter { $0.page == .limits }.map(\.text)
        #expect(
            found == [
                "watches is at 90 % of its limit (server/max_watches).",
                "connections has refused 3 in the last 10 s (server/max_connections).",
            ])
    }

    @Test("the peer that has not read for longest is named, if that is five seconds or more")
    func unread() {
        func found(_ seconds: [Int]) -> [String] {
            var snapshot = Samples.snapshot()
            snapshot.connections = seconds.enumerated().map { index, seconds in
                var connection = RPCServerSnapshot.Connection(
                    id: UInt64(index + 1), peer: .loopback(port: UInt16(index + 1)))
                connection.unreadFor = .seconds(seconds)
                connection.unsentBytes = 1024
                connection.kernelBytes = 3 << 10
                return connection
            }
            return Samples.view(snapshot).findings.map(\.text)
        }
        #expect(found([0, 4]).isEmpty)
        #expect(
            found([1, 5]) == [
                "127.0.0.1:2 has not read for 5.00 s: 4.00 KiB wait for it on connection 2."
            ])
        #expect(
            found([61, 5, 5]).first?.hasPrefix("127.0.0.1:1 has not read for 1 min 1 s") == true)
        #expect(found([61, 5, 5]).first?.hasSuffix("Others that don't read: 2.") == true)
    }
}
