import ArgumentParser
import Foundation
import RocketBase
import RocketProgram
import RocketRPC
import Testing

@testable import OrderClientKit

struct TargetOptionsTests {
    @Test(
        "Accepts an address without reading the configuration",
        arguments: [
            "127.0.0.1:12345", "[::1]:80", "unix:/run/order", "/run/order", "localhost:1",
        ])
    func addresses(text: String) throws {
        let options = try TargetOptions.parse(["--to", text, "--config", "/no/such/file.xml"])
        #expect(try options.target().description == text)
    }

    @Test("The description of a stub has its name and address")
    func stub() throws {
        let target = try withConfiguration(stubs: ["order", "stock"]) {
            try TargetOptions.parse(["--to", "stock", "--config", $0]).target()
        }
        #expect(target.description == "stock (127.0.0.1:12346)")
    }

    @Test(
        "Without --to it is the stub 'order', or the only stub",
        arguments: [
            (["stock", "order"], "order (127.0.0.1:12346)"),
            (["default"], "default (127.0.0.1:12345)"),
        ])
    func defaultStub(stubs: [String], description: String) throws {
        let target = try withConfiguration(stubs: stubs) {
            try TargetOptions.parse(["--config", $0]).target()
        }
        #expect(target.description == description)
    }

    @Test(
        "Fails with one line for an invalid address or an unknown stub",
        arguments: [
            ["--to", "oder"], ["--to", "127.0.0.1:"], ["--to", "127.0.0.1:99999"], [],
        ])
    func unknown(arguments: [String]) throws {
        let failure = #expect(throws: ProgramFailure.self) {
            _ = try withConfiguration(stubs: ["orders", "stock"]) {
                try TargetOptions.parse(arguments + ["--config", $0]).target()
            }
        }
        #expect(failure?.description.contains("\n") == false)
    }

    @Test("--peer says what the server is; otherwise the stub does, or it is rocket-swift")
    func peer() throws {
        func peer(_ arguments: [String]) throws -> PeerKind {
            try withConfiguration(stubs: ["order"], peer: "<peer>tinyrpc</peer>") {
                try TargetOptions.parse(arguments + ["--config", $0]).target().configuration.peer
            }
        }
        #expect(try peer([]) == .tinyrpc)
        #expect(try peer(["--peer", "rocket"]) == .rocket)
        #expect(try peer(["--to", "127.0.0.1:1"]) == .rocketSwift)
        #expect(try peer(["--to", "127.0.0.1:1", "--peer", "rocket"]) == .rocket)
        #expect(throws: (any Error).self) { try TargetOptions.parse(["--peer", "grpc"]) }
    }

    @Test(
        "TLS is that of the stub, unless an option says otherwise; an address has that of options")
    func tls() throws {
        func tls(_ arguments: [String]) throws -> StubTLSConfig? {
            try withConfiguration(stubs: ["order"], peer: "<tls><ca>/stub.crt</ca></tls>") {
                try TargetOptions.parse(arguments + ["--config", $0]).target().tls
            }
        }
        #expect(try tls([])?.ca == "/stub.crt")
        #expect(try tls(["--tls-name", "orders"])?.ca == nil)
        #expect(try tls(["--tls-name", "orders"])?.name == "orders")
        #expect(try tls(["--to", "127.0.0.1:1"]) == nil)
        #expect(try tls(["--to", "127.0.0.1:1", "--tls"]) == StubTLSConfig())
    }

    @Test("Without --config it is the file of the current folder, or else the installed one")
    func defaultConfiguration() throws {
        let base = NSTemporaryDirectory() + "target-options-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: base) }
        func write(_ path: String, port: Int) throws {
            let url = URL(filePath: "\(base)/\(path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(
                """
                <root><stubs><rpc_server><name>order</name><port>\(port)</port></rpc_server></stubs></root>
                """.utf8
            ).write(to: url)
        }
        func target(_ arguments: String...) throws -> ServerTarget {
            try TargetOptions.parse(arguments).target(
                root: "\(base)/root", folder: "\(base)/user/")
        }
        let failure = #expect(throws: ProgramFailure.self) { _ = try target() }
        #expect(failure?.status == .configuration)
        for text in ["conf/rocket.xml", "/etc/rocket/order_client.xml", "--config", "--to"] {
            #expect(failure?.description.contains(text) == true)
        }
        #expect(try target("--to", "127.0.0.1:1").description == "127.0.0.1:1")
        try write("root/etc/rocket/order_client.xml", port: 1)
        #expect(try target().description == "order (127.0.0.1:1)")
        try write("user/conf/rocket.xml", port: 2)
        #expect(try target().description == "order (127.0.0.1:2)")
    }

    @Test("The installed configuration calls the installed server")
    func installedConfiguration() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appending(path: "conf/order_client.xml").path
        let target = try TargetOptions.parse(["--config", file]).target()
        let address = target.description.split(separator: "(").last?.dropLast() ?? ""
        let socket = try String(
            contentsOf: root.appending(path: "conf/order_server.socket"), encoding: .utf8)
        #expect(socket.contains("\nListenStream=\(address)\n"), "\(target)")
    }

    @Test("The line of a failed call has method, peer, message and code")
    func failureLine() {
        let line = OrderClientFacade.line(
            RPCError(.callTimeout, "no reply within 2 s"), method: "Order.makeOrder",
            peer: "order (127.0.0.1:12345)")
        #expect(
            line == "Order.makeOrder to order (127.0.0.1:12345): no reply within 2 s "
                + "(ERROR_RPC_CALL_TIMEOUT)")
    }

    /// Runs `body` with a configuration whose stubs have the ports 12345, 12346, …
    private func withConfiguration<Result>(
        stubs: [String], peer: String = "", _ body: (String) throws -> Result
    ) throws -> Result {
        let path = NSTemporaryDirectory() + "call-target-" + UUID().uuidString + ".xml"
        let elements = stubs.enumerated().map { index, name in
            "<rpc_server><name>\(name)</name><port>\(12345 + index)</port>\(peer)</rpc_server>"
        }
        let xml = "<root><stubs>\(elements.joined())</stubs></root>"
        try xml.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }
}
