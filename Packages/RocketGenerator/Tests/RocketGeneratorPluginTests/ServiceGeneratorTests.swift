import SwiftProtobufPluginLibrary
import Testing

@testable import RocketGeneratorPlugin

@Suite("The generator")
struct ServiceGeneratorTests {
    private let head = "syntax = \"proto3\";\n"

    @Test("puts the package before Swift's names and into the name on the wire")
    func usesThePackage() throws {
        let text = try Protoc.generate([
            "a.proto": head
                + "package shop.v1; message M {} service Order { rpc go(M) returns (M); }"
        ]).onlyContent
        #expect(text.contains("protocol Shop_V1_OrderService: RPCService {"))
        #expect(text.contains("static var serviceName: String { \"shop.v1.Order\" }"))
        #expect(text.contains("RPCMethod<Shop_V1_M, Shop_V1_M>("))
        #expect(text.contains("service: \"shop.v1.Order\", name: \"go\""))
    }

    @Test("takes the option swift_prefix instead of the package")
    func usesThePrefix() throws {
        let text = try Protoc.generate([
            "a.proto": head + """
                package shop.v1; option swift_prefix = "SH"; message M {}
                service Order { rpc go(M) returns (M); }
                """
        ]).onlyContent
        #expect(text.contains("protocol SHOrderService: RPCService {"))
        #expect(text.contains("service: \"shop.v1.Order\""))
        #expect(text.contains("_ request: SHM"))
    }

    @Test("writes nothing for files without services")
    func writesNothingWithoutServices() throws {
        let response = try Protoc.generate(["a.proto": head + "message M {}"])
        #expect(response.file.isEmpty)
        #expect(!response.hasError)
        #expect(response.hasSupportedFeatures)
    }

    @Test("writes one file for each file with services, in the folders of the .proto")
    func writesOneFileEach() throws {
        let response = try Protoc.generate([
            "x/a.proto": head + "message M {} service A { rpc go(M) returns (M); }",
            "b.proto": head + "import \"x/a.proto\"; service B { rpc go(M) returns (M); }",
        ])
        #expect(response.file.map(\.name) == ["x/a.rocket.swift", "b.rocket.swift"])
    }

    @Test("leaves the server or the client out on request")
    func leavesPartsOut() throws {
        let proto = head + "message M {} service A { rpc go(M) returns (M); }"
        let client = try Protoc.generate(["a.proto": proto], options: "Server=false").onlyContent
        #expect(!client.contains("AService") && client.contains("struct AClient"))
        let server = try Protoc.generate(["a.proto": proto], options: "Client=false").onlyContent
        #expect(server.contains("protocol AService") && !server.contains("AClient"))
        for text in [client, server] { #expect(text.contains("enum AMethods")) }
    }

    @Test("imports SwiftProtobuf for well-known types only")
    func importsSwiftProtobuf() throws {
        let none = try Protoc.generate([
            "a.proto": head + """
                import "google/protobuf/empty.proto"; message M { google.protobuf.Empty e = 1; }
                service A { rpc go(M) returns (M); }
                """
        ]).onlyContent
        #expect(!none.contains("import SwiftProtobuf"))
        let some = try Protoc.generate([
            "a.proto": head + """
                import "google/protobuf/empty.proto"; message M {}
                service A { rpc go(M) returns (google.protobuf.Empty); }
                """
        ]).onlyContent
        #expect(some.contains("public import SwiftProtobuf\n"))
        #expect(some.contains("-> SwiftProtobuf.Google_Protobuf_Empty"))
    }

    @Test("gives a second name only where it is free and has several words")
    func givesSecondNames() throws {
        let text = try Protoc.generate([
            "a.proto": head + """
                message makeIt {} message takeIt {} message TakeIt {} message task {}
                message not_used {}
                service A { rpc go(makeIt) returns (takeIt); rpc on(task) returns (TakeIt); }
                """
        ]).onlyContent
        #expect(text.contains("public typealias MakeIt = makeIt\n"))
        #expect(text.contains("RPCMethod<MakeIt, takeIt>("))
        #expect(text.contains("RPCMethod<task, TakeIt>("))
        #expect(text.split(separator: "typealias").count == 2)
    }

    @Test("takes the comment behind a method where there is none before it")
    func takesTrailingComments() throws {
        let text = try Protoc.generate([
            "a.proto": head + """
                message M {}
                service A {
                  rpc go(M) returns (M);  // Goes.
                }
                """
        ]).onlyContent
        #expect(text.contains("    /// Goes.\n    nonisolated(nonsending) func go("))
    }

    @Test("marks all services of a deprecated file")
    func marksADeprecatedFile() throws {
        let text = try Protoc.generate([
            "a.proto": head + "option deprecated = true; service A {}"
        ]).onlyContent
        #expect(
            text.contains(
                "@available(*, deprecated, message: \"A is deprecated in its .proto\")\n"
                    + "public nonisolated struct AClient"))
    }

    @Test("reads proto2 and optional fields of proto3")
    func readsBothSyntaxes() throws {
        let response = try Protoc.generate([
            "a.proto": "message M { required int32 a = 1; } service A { rpc go(M) returns (M); }",
            "b.proto": head
                + "message O { optional int32 a = 1; } service B { rpc go(O) returns (O); }",
        ])
        #expect(response.file.count == 2, "\(response.error)")
    }
}
