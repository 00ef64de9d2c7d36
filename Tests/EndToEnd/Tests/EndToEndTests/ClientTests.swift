import EndToEndKit
import Foundation
import Testing

/// order_client on the command line and in scripts.
struct ClientTests {
    @Test("Makes, gets and lists an order, and prints the round-trip time")
    func makeGetList() throws {
        let server = try OrderServerProcess(in: Workspace())
        let to = ["--to", server.address]
        let made = try client(["make", "--price", "100", "--goods", "apple"] + to)
        #expect(made.status == 0 && made.errors.isEmpty, "\(made)")
        #expect(made.output.contains(/round trip \d+\.\d{3} ms/))
        let id = try orderID(in: made.output)

        let found = try client(["get", id] + to)
        #expect(found.status == 0, "\(found)")
        #expect(found.output.contains("apple") && found.output.contains("100"))
        let list = try client(["list"] + to)
        #expect(list.output.contains(id))
        // The output is not a terminal, so it has no colours.
        #expect(!(made.output + found.output + list.output).contains("\u{1B}"))
        #expect(server.stop().status == 0)
    }

    @Test("--json prints one JSON object")
    func json() throws {
        let server = try OrderServerProcess(in: Workspace())
        let result = try client(
            ["make", "--price", "100", "--goods", "apple", "--json", "--to", server.address])
        let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let fields = try #require(object as? [String: Any])
        #expect(fields["goods"] as? String == "apple")
        #expect((fields["order_id"] as? String)?.count ?? 0 >= 18)
        #expect(fields["round_trip_ms"] is Double)
        #expect(server.stop().status == 0)
    }

    @Test("--to accepts the name of a stub in the configuration")
    func stub() throws {
        let server = try OrderServerProcess(in: Workspace())
        let workspace = try Workspace(stubs: ["stock": server.port])
        let result = try client(
            [
                "make", "--price", "10", "--goods", "pear", "--to", "stock", "--config",
                workspace.configuration,
            ])
        #expect(result.status == 0, "\(result)")
        #expect(server.stop().status == 0)
    }

    @Test("A refused order prints one line and exits with status 1")
    func refusal() throws {
        let server = try OrderServerProcess(in: Workspace())
        let result = try client(
            ["make", "--price", "9", "--goods", "apple", "--to", server.address])
        #expect(result.isOneErrorLine && result.status == 1, "\(result)")
        #expect(result.errors.contains("Order.makeOrder"))
        #expect(result.errors.contains(server.address))
        #expect(result.errors.contains("short balance"))
        let unknown = try client(["get", "202611210000000042", "--to", server.address])
        #expect(unknown.isOneErrorLine, "\(unknown)")
        #expect(server.stop().status == 0)
    }

    @Test("An unknown stub prints one line with its name")
    func unknownStub() throws {
        let workspace = try Workspace(stubs: ["stock": 1])
        let result = try client(
            ["list", "--to", "stokc", "--config", workspace.configuration])
        #expect(result.isOneErrorLine, "\(result)")
        #expect(result.errors.contains("stokc"))
    }

    @Test("A refused connection prints one line with method, peer and code")
    func refusedConnection() throws {
        let port = try ReservedPort(isListening: false)
        let result = try client(["list", "--to", "127.0.0.1:\(port.port)"])
        #expect(result.isOneErrorLine, "\(result)")
        #expect(result.errors.contains("Order.listOrders"), "\(result)")
        #expect(result.errors.contains("127.0.0.1:\(port.port)"), "\(result)")
        #expect(result.errors.contains("ERROR_FAILED_CONNECT"), "\(result)")
    }

    @Test("A deadline that passes prints one line with method, peer and code")
    func deadline() throws {
        let silent = try ReservedPort(isListening: true)
        let result = try client(
            ["get", "1", "--to", "127.0.0.1:\(silent.port)", "--timeout", "50ms"])
        #expect(result.isOneErrorLine, "\(result)")
        #expect(result.errors.contains("Order.queryOrder"), "\(result)")
        #expect(result.errors.contains("127.0.0.1:\(silent.port)"), "\(result)")
        #expect(result.errors.contains("ERROR_RPC_CALL_TIMEOUT"), "\(result)")
    }

    private func client(_ arguments: [String]) throws -> ProcessResult {
        try Programs.run("order_client", arguments)
    }
}

func orderID(in text: String) throws -> String {
    try String(#require(text.firstMatch(of: /\d{18,}/)).output)
}
