import Foundation
import Testing

@testable import RocketProgram

@Suite("Search for a configuration")
struct ConfigurationSearchTests {
    /// A machine's root and a user's folder, with some of the files.
    private func search(
        _ given: String? = nil, files: [String]
    ) throws -> Result<String, ProgramFailure> {
        let base = NSTemporaryDirectory() + "configuration-search-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: base) }
        for file in files {
            let url = URL(filePath: "\(base)/\(file)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data().write(to: url)
        }
        return Result { () throws(ProgramFailure) in
            try ConfigurationFile.find(
                given, local: "conf/rocket.xml", installed: "/etc/rocket/order_client.xml",
                option: "--config FILE", root: base + "/root", folder: base + "/user/")
        }.map { $0.replacing(base, with: "") }
    }

    private let local = "user/conf/rocket.xml"
    private let installed = "root/etc/rocket/order_client.xml"

    @Test("The order is: the path given, the current folder, the installed file")
    func order() throws {
        #expect(try search("x.xml", files: [local, installed]).get() == "x.xml")
        #expect(try search(files: [local, installed]).get() == "/\(local)")
        #expect(try search(files: [installed]).get() == "/\(installed)")
        // `conf` is a file here.
        #expect(try search(files: ["user/conf", installed]).get() == "/\(installed)")
    }

    @Test("Without any, the error names both files and the option")
    func none() throws {
        let failure = #expect(throws: ProgramFailure.self) { try search(files: []).get() }
        #expect(failure?.status == .configuration)
        #expect(
            failure?.description == "there is no configuration: neither conf/rocket.xml in this "
                + "folder nor /etc/rocket/order_client.xml exists; name one: --config FILE")
    }
}
