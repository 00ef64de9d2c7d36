import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP

@testable import RocketAdmin

/// Snapshots for tests.
enum Samples {
    static let time = WallTime(nanoseconds: 1_767_323_045_678_000_000)

    static func snapshot(age: Duration = .seconds(100), calls: Int = 0, failures: Int = 0)
        -> RPCServerSnapshot
    {
        var snapshot = RPCServerSnapshot(
            time: time, startedAt: WallTime(nanoseconds: time.nanoseconds - age.wholeNanoseconds),
            age: age, state: .running)
        var order = RPCServerSnapshot.Method(name: "shop.v1.Order.make")
        order.started = calls + failures
        order.ended = [RPCErrorCode(rawValue: 0): calls, .unavailable: failures]
        for _ in 0..<(calls + failures) { order.latency.record(.milliseconds(2)) }
        snapshot.methods = [order, RPCServerSnapshot.Method(name: "rocket.Health.check")]
        var main = RPCServerSnapshot.Loop(name: "rocket-main")
        main.busy = age / 10
        snapshot.loops = [main]
        snapshot.limits = [
            .init(name: "connections", limit: 100, current: 1, highest: 3, refusals: 2),
            .init(name: "memory_budget_bytes", limit: 1 << 20, current: 1 << 10),
            .init(name: "queue_delay"),
        ]
        snapshot.connectionCount = 1
        return snapshot
    }

    static func view(_ snapshot: RPCServerSnapshot = snapshot()) -> AdminView {
        AdminView(
            program: ProgramFacts(name: "shop", version: "1.2", processID: 7), server: snapshot)
    }

    /// A text that would be markup.
    static let attack = "<script>alert(1)</script>\" onload='x' \u{202E}&"

    static func request(
        _ method: String = "GET", _ target: String = "/",
        headers: [HTTPRequest.Header: String] = [
            .host: "localhost"
        ]
    ) -> HTTPRequest {
        HTTPRequest(
            method: method,
            target: RequestTarget(target) ?? RequestTarget(path: "", query: FormFields()),
            headers: headers)
    }
}
