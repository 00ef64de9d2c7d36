import Foundation
import SwiftProtobufPluginLibrary
import Testing

/// Compares output with the committed generated files, which other tests compile.
/// `scripts/generate.sh` updates them.
@Suite("Output of the generator")
struct GoldenTests {
    private let apps = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Apps")

    private func expectGolden(
        _ protos: [String], from folder: String, equalTo output: String, options: String
    ) throws {
        let response = try Protoc.generate(
            protos, from: apps.appending(path: folder), options: options)
        #expect(!response.file.isEmpty, "\(response.error)")
        for file in response.file {
            let golden = apps.appending(path: output).appending(path: file.name)
            let expected = try String(contentsOf: golden, encoding: .utf8)
            #expect(file.content == expected, "\(file.name)")
        }
    }

    private var mappings: String {
        let path = apps.appending(path: "Tests/GeneratedCodeProtos/modules.textproto").path()
        return "ProtoPathModuleMappings=\(path)"
    }

    @Test("Equals the committed files for order.proto")
    func equalsCommittedOrder() throws {
        try expectGolden(
            ["order.proto"], from: "Protos", equalTo: "Sources/OrderProtos",
            options: "Visibility=Public")
    }

    @Test(
        "Equals the committed files for packages, imports, nested messages, keywords, streams and hidden names"
    )
    func equalsCommittedSpecialCases() throws {
        try expectGolden(
            ["tricky.proto", "shelf.proto", "hiding.proto", "streams.proto"],
            from: "Tests/GeneratedCodeProtos",
            equalTo: "Tests/GeneratedCodeTests/Generated",
            options: "Visibility=Internal,\(mappings)")
        try expectGolden(
            ["common/money.proto"], from: "Tests/GeneratedCodeProtos",
            equalTo: "Tests/GeneratedCodeCommon", options: "Visibility=Public,\(mappings)")
    }

    @Test("Is the same for each run")
    func isTheSameForEachRun() throws {
        let folder = apps.appending(path: "Tests/GeneratedCodeProtos")
        let protos = ["hiding.proto", "tricky.proto", "streams.proto", "shelf.proto"]
        let first = try Protoc.generate(protos, from: folder, options: mappings)
        for _ in 0..<5 {
            #expect(try Protoc.generate(protos, from: folder, options: mappings) == first)
        }
    }
}
