import EndToEndKit
import Foundation
import Testing

/// `order_client health`, as a script uses it: exit statuses, JSON, the line for Nagios.
struct HealthTests {
    private func health(_ arguments: String...) throws -> ProcessResult {
        try Programs.run("order_client", ["health"] + arguments)
    }

    private func state(_ result: ProcessResult) throws -> [String: String] {
        let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let fields = try #require(object as? [String: Any])
        return fields.compactMapValues { $0 as? String }
    }

    @Test("Tells a server that serves, hangs and has stopped apart, and an unknown service")
    func states() throws {
        let server = try OrderServerProcess(in: Workspace())
        let to = server.address
        let serving = try health("Order", "--to", to)
        #expect(serving.status == 0 && serving.errors.isEmpty, "\(serving)")
        #expect(serving.output == "\(to): Order is SERVING\n")
        #expect(try health("--to", to).status == 0)
        let unknown = try health("Oder", "--to", to, "--json")
        #expect(unknown.status == 66, "\(unknown)")
        #expect(try state(unknown)["state"] == "not_found")

        server.child.send(SIGSTOP)
        let hangs = try health("Order", "--to", to, "--timeout", "100ms", "--json")
        server.child.send(SIGCONT)
        #expect(hangs.status == 69, "\(hangs)")
        #expect(try state(hangs)["reason"] == "timeout")

        #expect(server.stop().status == 0)
        let down = try health("Order", "--to", to, "--json")
        #expect(down.status == 69, "\(down)")
        #expect(try state(down)["reason"] == "connection_refused")
        // One line on standard error, beside the object.
        #expect(down.errors.split(separator: "\n").count == 1)
    }

    @Test("Is a plugin of Nagios: one line and the status 0, 2 or 3")
    func nagios() throws {
        let server = try OrderServerProcess(in: Workspace())
        let ok = try health("Order", "--to", server.address, "--nagios")
        #expect(ok.status == 0, "\(ok)")
        let line = /ROCKET OK - Order is SERVING \| time=\d+\.\d{4}s;;;0\n/
        #expect(ok.output.wholeMatch(of: line) != nil, "\(ok)")
        #expect(try health("Oder", "--to", server.address, "--nagios").status == 3)
        #expect(server.stop().status == 0)
        let down = try health("Order", "--to", server.address, "--nagios")
        #expect(down.status == 2 && down.errors.isEmpty, "\(down)")
        #expect(down.output.hasPrefix("ROCKET CRITICAL - Order is down: "))
    }

    @Test("A wrong command line and a missing configuration have statuses of their own")
    func usage() throws {
        #expect(try health("--nagois").status == 64)
        #expect(try health("--to", "127.0.0.1:x").status == 64)
        let missing = try health("--config", "/no/such/file.xml")
        #expect(missing.status != 0 && missing.errors.contains("/no/such/file.xml"))
    }

    @Test("Checks a stub of the configuration")
    func stub() throws {
        let server = try OrderServerProcess(in: Workspace())
        let workspace = try Workspace(stubs: ["order": server.port])
        let result = try health("--config", workspace.configuration)
        #expect(result.output == "order (\(server.address)): server is SERVING\n", "\(result)")
        #expect(server.stop().status == 0)
    }
}
