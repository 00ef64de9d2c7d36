import EndToEndKit
import Foundation
import Testing

/// The output of order_server at valid and invalid starts.
struct ServerStartTests {
    @Test(
        "The ready line has the address; SIGTERM and SIGINT drain and exit with status 0",
        arguments: [SIGTERM, SIGINT])
    func startAndStop(signal: Int32) throws {
        let server = try OrderServerProcess(in: Workspace())
        #expect(server.readyLine.contains("127.0.0.1:\(server.port)"))
        server.child.send(signal)
        let result = server.child.finish()
        #expect(result.status == 0 && !result.wasKilled, "\(result)")
        #expect(result.errors.isEmpty)
    }

    @Test("A missing configuration prints one line with its path")
    func missingConfiguration() throws {
        let result = try Programs.run("order_server", ["/no/such/rocket.xml"])
        #expect(result.isOneErrorLine && result.status == 78, "\(result)")
        #expect(result.errors.contains("/no/such/rocket.xml"))
    }

    @Test("Invalid XML prints one line with its line and column")
    func brokenXML() throws {
        let workspace = try Workspace()
        try workspace.write("<?xml version=\"1.0\"?>\n<root>\n  <log>\n</root>\n")
        let result = try Programs.run("order_server", [workspace.configuration])
        #expect(result.isOneErrorLine && result.status == 78, "\(result)")
        #expect(result.errors.contains("rocket.xml:"), "\(result)")
        #expect(result.errors.contains(/[2345]:\d+/), "\(result)")
    }

    @Test("A value out of range prints one line with its name and value")
    func badValue() throws {
        let workspace = try Workspace()
        try workspace.write(
            "<root><server><port>99999</port><io_threads>1</io_threads></server></root>")
        let result = try Programs.run("order_server", [workspace.configuration])
        #expect(result.isOneErrorLine && result.status == 78, "\(result)")
        #expect(result.errors.contains("99999") && result.errors.contains("port"), "\(result)")
    }

    @Test("A port in use prints one line with the address")
    func portInUse() throws {
        let taken = try ReservedPort(isListening: true)
        let workspace = try Workspace(port: taken.port)
        let result = try Programs.run("order_server", [workspace.configuration])
        #expect(result.isOneErrorLine && result.status == 73, "\(result)")
        #expect(result.errors.contains("127.0.0.1:\(taken.port)"), "\(result)")
    }

    @Test("A store that can't be opened prints one line with its path")
    func noStore() throws {
        let workspace = try Workspace(
            sections: "<order_store><path>/proc/no/orders.sqlite</path></order_store>")
        let result = try Programs.run("order_server", [workspace.configuration])
        #expect(result.isOneErrorLine && result.status == 73, "\(result)")
        #expect(result.errors.contains("/proc/no/orders.sqlite"), "\(result)")
    }

    @Test("A misspelt option prints one line")
    func misspelt() throws {
        let result = try Programs.run("order_server", ["--chek-config"])
        #expect(result.isOneErrorLine && result.status == 64, "\(result)")
        #expect(result.errors.contains("--chek-config"))
    }

    @Test("--help has examples, --version prints the version", arguments: ["server", "client"])
    func helpAndVersion(program: String) throws {
        let help = try Programs.run("order_\(program)", ["--help"])
        #expect(help.status == 0)
        #expect(help.output.lowercased().contains("examples"), "\(help)")
        let version = try Programs.run("order_\(program)", ["--version"])
        #expect(version.status == 0)
        #expect(version.output.contains(/\d+\.\d+\.\d+/))
    }

    @Test("--check-config checks what a start checks; --quiet prints only errors")
    func quietCheck() throws {
        let workspace = try Workspace(port: 12345)
        let arguments = ["--check-config", "--quiet", workspace.configuration]
        let valid = try Programs.run("order_server", arguments)
        #expect(valid.status == 0 && valid.output.isEmpty && valid.errors.isEmpty, "\(valid)")
        // Valid XML, and a start refuses it.
        try workspace.write(
            "<root><server><method_limits>Order.none max_request_bytes=1</method_limits>"
                + "</server></root>")
        for arguments in [arguments, [workspace.configuration]] {
            let result = try Programs.run("order_server", arguments)
            #expect(result.isOneErrorLine && result.status == 78, "\(result)")
            #expect(result.errors.contains("Order.none") && result.output.isEmpty, "\(result)")
        }
        #expect(try Programs.run("order_server", ["--quiet"]).status == 64)
    }

    @Test("--check-config prints the effective configuration and does not start the server")
    func checkConfiguration() throws {
        let workspace = try Workspace(port: 12345)
        let result = try Programs.run("order_server", ["--check-config", workspace.configuration])
        #expect(result.status == 0, "\(result)")
        #expect(result.output.contains("12345"))
        #expect(result.output.contains("orders.sqlite"), "\(result)")
        #expect(!FileManager.default.fileExists(atPath: workspace.store))
    }
}
