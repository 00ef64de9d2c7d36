import EndToEndKit
import Foundation
import Testing

/// order_client as a person or a script uses it.
struct ClientTests {
    @Test("An order is made, got and listed; each answer shows the round-trip time")
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
        // Not a terminal: no colours.
        #expect(!(made.output + found.output + list.output).contains("\u{1B}"))
        #expect(server.stop().status == 0)
    }

    @Test("--json is one object that a program can read")
    func json() throws {
        let server = try OrderServerProcess(in: Workspace())
        let ending = try client(
            ["make", "--price", "100", "--goods", "apple", "--json", "--to", server.address])
        let object = try JSONSerialization.jsonObject(with: Data(ending.output.utf8))
        let fields = try #require(object as? [String: Any])
        #expect(fields["goods"] as? String == "apple")
        #expect((fields["order_id"] as? String)?.count ?? 0 >= 18)
        #expect(fields["round_trip_ms"] is Double)
        #expect(server.stop().status == 0)
    }

    @Test("--to takes a stub's name from the configuration")
    func stub() throws {
        let server = try OrderServerProcess(in: Workspace())
        let workspace = try Workspace(stubs: ["shop": server.port])
        let ending = try client(
            [
                "make", "--price", "10", "--goods", "pear", "--to", "shop", "--config",
                workspace.configuration,
            ])
        #expect(ending.status == 0, "\(ending)")
        #expect(server.stop().status == 0)
    }

    @Test("A refusal by the shop is one clear line and status 1")
    func refusal() throws {
        let server = try OrderServerProcess(in: Workspace())
        let ending = try client(
            ["make", "--price", "9", "--goods", "apple", "--to", server.address])
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("Order.makeOrder"))
        #expect(ending.errors.contains(server.address))
        #expect(ending.errors.contains("short balance"))
        let unknown = try client(["get", "202611210000000042", "--to", server.address])
        #expect(unknown.isOneClearLine, "\(unknown)")
        #expect(server.stop().status == 0)
    }

    @Test("An unknown stub name is one clear line that names it")
    func unknownStub() throws {
        let workspace = try Workspace(stubs: ["shop": 1])
        let ending = try client(
            ["list", "--to", "shpo", "--config", workspace.configuration])
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("shpo"))
    }

    @Test("A server that is not there is one clear line: call, peer and code")
    func nobodyThere() throws {
        let port = try TakenPort(isListening: false)
        let ending = try client(["list", "--to", "127.0.0.1:\(port.port)"])
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("Order.listOrders"), "\(ending)")
        #expect(ending.errors.contains("127.0.0.1:\(port.port)"), "\(ending)")
        #expect(ending.errors.contains("ERROR_PEER_CLOSED"), "\(ending)")
    }

    @Test("A deadline that passes is one clear line: call, peer and code")
    func deadline() throws {
        let silent = try TakenPort(isListening: true)
        let ending = try client(
            ["get", "1", "--to", "127.0.0.1:\(silent.port)", "--timeout", "50ms"])
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("Order.queryOrder"), "\(ending)")
        #expect(ending.errors.contains("127.0.0.1:\(silent.port)"), "\(ending)")
        #expect(ending.errors.contains("ERROR_RPC_CALL_TIMEOUT"), "\(ending)")
    }

    private func client(_ arguments: [String]) throws -> Ending {
        try Programs.run("order_client", arguments)
    }
}

func orderID(in text: String) throws -> String {
    try String(#require(text.firstMatch(of: /\d{18,}/)).output)
}
