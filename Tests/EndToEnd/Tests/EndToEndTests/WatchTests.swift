import EndToEndKit
import Foundation
import Testing

/// `order_client watch`: while orders are made, while servers drain, are killed and start again.
struct WatchTests {
    /// Makes an order and returns its id.
    private func make(_ port: UInt16) throws -> String {
        let connection = try RawConnection(port: port)
        defer { connection.finish() }
        try connection.send(TinyPBBytes.goldenRequest)
        return try #require(try connection.receiveFrame()?.text(3))
    }

    private func watch(_ port: UInt16, _ more: String...) throws -> ChildProcess {
        try ChildProcess(
            Programs.path("order_client"), ["watch", "--to", "127.0.0.1:\(port)"] + more)
    }

    private func id(_ line: String?) -> String? {
        line.map { String($0.prefix { $0 != " " }) }
    }

    @Test("Prints the orders of the store, then those that are made; ends after --count")
    func prints() throws {
        let server = try OrderServerProcess(in: Workspace())
        let first = try make(server.port)
        let child = try watch(server.port, "--after", "0", "--count", "2", "--json")
        let line = try #require(child.nextLine())
        let fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(fields?["order_id"] as? String == first && fields?["goods"] as? String == "apple")
        let second = try make(server.port)
        #expect(child.nextLine()?.contains(second) == true)
        let result = child.finish()
        #expect(result.status == 0 && result.errors.isEmpty && result.output.isEmpty, "\(result)")
        #expect(server.stop().status == 0)
    }

    @Test("Ends with 0 on Ctrl-C and SIGTERM", arguments: [SIGINT, SIGTERM])
    func signals(signal: Int32) throws {
        let server = try OrderServerProcess(in: Workspace())
        let order = try make(server.port)
        let child = try watch(server.port, "--after", "0")
        #expect(id(child.nextLine()) == order)
        child.send(signal)
        let result = child.finish()
        #expect(
            result.status == 0 && !result.wasKilled && result.errors.isEmpty, "\(result)")
        #expect(server.stop().status == 0)
    }

    @Test("An id that no order has is one line and status 66; a server that is away 69")
    func fails() throws {
        let server = try OrderServerProcess(in: Workspace())
        let unknown = try watch(server.port, "--after", "202611210000000001").finish()
        #expect(unknown.status == 66 && unknown.isOneErrorLine, "\(unknown)")
        #expect(unknown.errors.contains("NOT_FOUND"), "\(unknown)")
        #expect(server.stop().status == 0)
        let away = try watch(server.port).finish()
        #expect(away.status == 69 && away.isOneErrorLine, "\(away)")
    }

    @Test(
        "Goes on without a hole when its server drains, or is killed, and starts again",
        arguments: [false, true])
    func goesOn(isKilled: Bool) throws {
        let workspace = try Workspace()
        let socket = try ReservedPort(isListening: true)
        func start() throws -> OrderServerProcess {
            try OrderServerProcess(
                in: workspace, launcher: FakeServiceManager.activation(names: "rpc"),
                input: socket.duplicate())
        }
        var server = try start()
        var made: [String] = []
        func makeOrders() throws {
            for _ in 0..<20 { made.append(try make(socket.port)) }
        }
        try makeOrders()
        let child = try watch(socket.port, "--after", "0")
        var seen: [String] = []
        for _ in 0..<3 {
            try makeOrders()
            while seen.count < made.count { seen.append(try #require(id(child.nextLine()))) }
            if isKilled {
                server.kill()
            } else {
                // The drain does not wait for the watch.
                let result = server.stop()
                #expect(result.status == 0 && !result.wasKilled, "\(result)")
            }
            server = try start()
            try makeOrders()
            let last = try #require(seen.last)
            let lines = child.errorLines(through: "going on behind order \(last)")
            #expect(lines.last?.contains(last) == true, "\(lines)")
        }
        while seen.count < made.count { seen.append(try #require(id(child.nextLine()))) }
        #expect(seen == made)
        child.send(SIGTERM)
        #expect(child.finish().status == 0)
        #expect(server.stop().status == 0)
    }
}
