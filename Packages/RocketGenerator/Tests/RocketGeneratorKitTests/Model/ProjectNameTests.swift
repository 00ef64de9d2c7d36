import Foundation
import Testing

@testable import RocketGeneratorKit

@Suite("Name of a project")
struct ProjectNameTests {
    /// Returns the name of the project of .proto files that have this text.
    private func name(_ paths: String..., text: String = "") throws -> ProjectName {
        let folder = try Sample.folder([:])
        for path in paths {
            let file = URL(fileURLWithPath: "\(folder.path)/\(path)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("syntax = \"proto3\"; \(text)\n".utf8).write(to: file)
        }
        let compiler = try ProtoCompiler(
            paths.map { "\(folder.path)/\($0)" }, importPaths: [folder.path], tools: ToolFinder())
        return try ProjectName(protos: try compiler.describe().mainDescriptors)
    }

    @Test(
        "Is derived from the .proto file",
        arguments: [
            ("order.proto", "order", "Order"),
            ("shop/v1/OrderBook.proto", "order_book", "OrderBook"),
            ("order_server.proto", "order_server", "OrderServer"),
            ("order-server.proto", "order_server", "OrderServer"),
            ("my order.proto", "my_order", "MyOrder"),
        ])
    func fromProto(path: String, program: String, module: String) throws {
        let name = try name(path)
        #expect(name.program == program && name.module == module)
    }

    @Test(
        "Is that of the package or the service if any package may have a file of that name",
        arguments: [
            ("one/service.proto", "package shop.one.v1; service S {}", "one"),
            ("two/service.proto", "service OrderQuery {}", "order_query"),
            ("v1beta1.proto", "package shop.v1beta1;", "shop"),
            ("api.proto", "package acme.shop.api;", "shop"),
            ("main.proto", "package main; service Order {}", "order"),
            ("testing.proto", "package shop;", "shop"),
            ("server.proto", "", "server"),
        ])
    func generic(path: String, text: String, program: String) throws {
        #expect(try name(path, text: text).program == program)
    }

    @Test("Is that of the package for several files, or else of the first file")
    func several() throws {
        let packaged = try name("order.proto", "query.proto", text: "package shop.v1;")
        #expect(packaged.program == "shop")
        #expect(try name("order.proto", "query.proto").program == "order")
        let files = try Sample.descriptors([
            "logs/service.proto": "syntax = \"proto3\"; package acme.collector.logs.v1;",
            "trace/service.proto": "syntax = \"proto3\"; package acme.collector.trace.v1;",
        ])
        #expect(try ProjectName(protos: files).program == "collector")
    }

    @Test("Can have hyphens")
    func hyphens() throws {
        let name = try ProjectName("order-book")
        #expect(name.module == "OrderBook")
    }

    @Test(
        "Must be valid for a program and a module",
        arguments: ["", "Order", "9order", "a/b", "order ", "_a", "a_", "ördr", "..", "a.b"])
    func refused(name: String) {
        let failure = #expect(throws: GeneratorFailure.self) { try ProjectName(name) }
        #expect(failure?.description.contains("'\(name)'") == true)
        #expect(failure?.description.contains("--name") == true)
    }

    @Test(
        "Must not be a name of Swift or of a library",
        arguments: [
            "class", "import", "swift", "logging", "rocket_rpc", "testing", "main", "protoc",
            "rocket_generator", "protoc-gen-rocket", "generate-rocket", "rocket",
            "swift_protobuf_plugin_library",
        ])
    func taken(name: String) {
        #expect(throws: GeneratorFailure.self) { try ProjectName(name) }
    }
}
