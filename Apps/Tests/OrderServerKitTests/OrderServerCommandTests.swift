import ArgumentParser
import Foundation
import RocketProgram
import Testing

@testable import OrderServerKit

struct OrderServerCommandTests {
    @Test(
        "Without an argument the configuration is that of the current folder or the installed one")
    func configuration() throws {
        let base = NSTemporaryDirectory() + "order-server-command-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: base) }
        func path(_ arguments: String...) throws -> String {
            let command = try OrderServerCommand.parse(arguments)
            return try command.configuration(root: "\(base)/root", folder: "\(base)/user/")
        }
        func write(_ path: String) throws {
            let url = URL(filePath: "\(base)/\(path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data().write(to: url)
        }
        let failure = #expect(throws: ProgramFailure.self) { _ = try path() }
        #expect(failure?.status == .configuration)
        #expect(failure?.description.contains("/etc/rocket/order_server.xml") == true)
        try write("root/etc/rocket/order_server.xml")
        #expect(try path() == "\(base)/root/etc/rocket/order_server.xml")
        try write("user/conf/rocket.xml")
        #expect(try path("--check-config") == "\(base)/user/conf/rocket.xml")
        #expect(try path("x.xml") == "x.xml")
    }
}
