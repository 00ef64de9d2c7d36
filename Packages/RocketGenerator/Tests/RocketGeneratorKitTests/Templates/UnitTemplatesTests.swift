import Foundation
import RocketGeneratorPlugin
import Testing

@testable import RocketGeneratorKit

/// The units of generated projects are those of order_server, which are tested under systemd.
@Suite("systemd units of a project")
struct UnitTemplatesTests {
    private let units = UnitTemplates(program: "shop", port: 9000)

    private static let conf = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "conf")

    /// Returns the lines of a unit of order_server with the names of the project, without comments,
    /// and without those that a project has no counterpart for.
    private func expected(_ unit: String) throws -> [String] {
        let text = try String(contentsOf: Self.conf.appending(path: unit), encoding: .utf8)
            .replacing("/etc/rocket/order_server.xml", with: "/etc/shop/rocket.xml")
            .replacing("127.0.0.1:12345", with: "127.0.0.1:9000")
            .replacing("order_server", with: "shop")
        // A project has no manual page, no group of its own, and its own description.
        return directives(text.split(separator: "\n").map(String.init)).filter { line in
            !["Documentation=", "Description=", "SocketGroup="].contains { line.hasPrefix($0) }
        }
    }

    private func directives(_ lines: [String]) -> [String] {
        lines.filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }

    private func found(_ lines: Lines) -> [String] {
        directives(Array(lines)).filter { !$0.hasPrefix("Description=") }
    }

    @Test("The service has every line of order_server.service, and no other")
    func service() throws {
        #expect(try found(units.service) == expected("order_server.service"))
    }

    @Test("The socket has every line of order_server.socket, and no other")
    func socket() throws {
        #expect(try found(units.socket) == expected("order_server.socket"))
    }

    @Test("The units name the program, its configuration and its port")
    func names() {
        #expect(units.service.contains("ExecStart=/usr/bin/shop /etc/shop/rocket.xml"))
        #expect(units.service.contains("Also=shop.socket"))
        #expect(units.socket.contains("ListenStream=127.0.0.1:9000"))
        for lines in [units.service, units.socket] {
            #expect(lines.contains { $0.hasPrefix("Description=") && $0.contains("shop") })
            #expect(!lines.text.contains("order"))
        }
    }
}
