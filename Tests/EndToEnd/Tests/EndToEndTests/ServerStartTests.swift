import EndToEndKit
import Foundation
import Testing

/// What a person sees who starts the server, rightly or wrongly.
struct ServerStartTests {
    @Test(
        "The ready line names the address; SIGTERM and SIGINT drain and end with status 0",
        arguments: [SIGTERM, SIGINT])
    func startAndStop(signal: Int32) throws {
        let server = try OrderServerProcess(in: Workspace())
        #expect(server.readyLine.contains("127.0.0.1:\(server.port)"))
        server.child.send(signal)
        let ending = server.child.finish()
        #expect(ending.status == 0 && !ending.wasKilled, "\(ending)")
        #expect(ending.errors.isEmpty)
    }

    @Test("A missing configuration is one clear line that names it")
    func missingConfiguration() throws {
        let ending = try Programs.run("order_server", ["/no/such/rocket.xml"])
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("/no/such/rocket.xml"))
    }

    @Test("Broken XML is one clear line with its line and column")
    func brokenXML() throws {
        let workspace = try Workspace()
        try workspace.write("<?xml version=\"1.0\"?>\n<root>\n  <log>\n</root>\n")
        let ending = try Programs.run("order_server", [workspace.configuration])
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("rocket.xml:"), "\(ending)")
        #expect(ending.errors.contains(/[2345]:\d+/), "\(ending)")
    }

    @Test("A value out of its range is one clear line that names it")
    func badValue() throws {
        let workspace = try Workspace()
        try workspace.write(
            "<root><server><port>99999</port><io_threads>1</io_threads></server></root>")
        let ending = try Programs.run("order_server", [workspace.configuration])
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("99999") && ending.errors.contains("port"), "\(ending)")
    }

    @Test("A port in use is one clear line that names it")
    func portInUse() throws {
        let taken = try TakenPort(isListening: true)
        let workspace = try Workspace(port: taken.port)
        let ending = try Programs.run("order_server", [workspace.configuration])
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("127.0.0.1:\(taken.port)"), "\(ending)")
    }

    @Test("A store that can't be opened is one clear line that names it")
    func noStore() throws {
        let workspace = try Workspace(
            sections: "<order_store><path>/proc/no/orders.sqlite</path></order_store>")
        let ending = try Programs.run("order_server", [workspace.configuration])
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("/proc/no/orders.sqlite"), "\(ending)")
    }

    @Test("A misspelt option is one clear line")
    func misspelt() throws {
        let ending = try Programs.run("order_server", ["--chek-config"])
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("--chek-config"))
    }

    @Test("--help shows how it is used, --version what it is", arguments: ["server", "client"])
    func helpAndVersion(program: String) throws {
        let help = try Programs.run("order_\(program)", ["--help"])
        #expect(help.status == 0)
        #expect(help.output.lowercased().contains("examples"), "\(help)")
        let version = try Programs.run("order_\(program)", ["--version"])
        #expect(version.status == 0)
        #expect(version.output.contains(/\d+\.\d+\.\d+/))
    }

    @Test("--check-config prints what would be in force and starts nothing")
    func checkConfiguration() throws {
        let workspace = try Workspace(port: 12345)
        let ending = try Programs.run("order_server", ["--check-config", workspace.configuration])
        #expect(ending.status == 0, "\(ending)")
        #expect(ending.output.contains("12345"))
        #expect(ending.output.contains("orders.sqlite"), "\(ending)")
        #expect(!FileManager.default.fileExists(atPath: workspace.store))
    }
}
