import SwiftProtobufPluginLibrary
import Testing

@testable import RocketGeneratorPlugin

@Suite("Generator")
struct ServiceGeneratorTests {
    private let head = "syntax = \"proto3\";\n"

    @Test("Prefixes Swift names and the name on the wire with the package")
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

    @Test("Uses the option swift_prefix in place of the package")
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

    @Test("Writes nothing for files without services")
    func writesNothingWithoutServices() throws {
        let response = try Protoc.generate(["a.proto": head + "message M {}"])
        #expect(response.file.isEmpty)
        #expect(!response.hasError)
        #expect(response.hasSupportedFeatures)
    }

    @Test("Writes one file for each .proto file with services, in the same folder")
    func writesOneFileEach() throws {
        let response = try Protoc.generate([
            "x/a.proto": head + "message M {} service A { rpc go(M) returns (M); }",
            "b.proto": head + "import \"x/a.proto\"; service B { rpc go(M) returns (M); }",
        ])
        #expect(response.file.map(\.name) == ["x/a.rocket.swift", "b.rocket.swift"])
    }

    @Test("Omits the server or the client on request")
    func omitsParts() throws {
        let proto = head + "message M {} service A { rpc go(M) returns (M); }"
        let client = try Protoc.generate(["a.proto": proto], options: "Server=false").onlyContent
        #expect(!client.contains("AService") && client.contains("struct AClient"))
        let server = try Protoc.generate(["a.proto": proto], options: "Client=false").onlyContent
        #expect(server.contains("protocol AService") && !server.contains("AClient"))
        for text in [client, server] { #expect(text.contains("enum AMethods")) }
    }

    @Test("Imports SwiftProtobuf only for well-known types")
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

    @Test("Declares an alias only if it is free and has several words")
    func declaresAliases() throws {
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

    @Test("Uses the comment after a method if there is none before it")
    func usesTrailingComments() throws {
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

    @Test("Marks all services of a deprecated file")
    func marksADeprecatedFile() throws {
        let text = try Protoc.generate([
            "a.proto": head + "option deprecated = true; service A {}"
        ]).onlyContent
        #expect(
            text.contains(
                "@available(*, deprecated, message: \"A is deprecated in its .proto\")\n"
                    + "public nonisolated struct AClient"))
    }

    @Test("Generates methods of all four kinds")
    func generatesStreams() throws {
        let text = try Protoc.generate([
            "a.proto": head + """
                message M {} service A {
                  rpc one(M) returns (M);
                  rpc up(stream M) returns (M);
                  rpc down(M) returns (stream M);
                  rpc both(stream M) returns (stream M);
                }
                """
        ]).onlyContent
        for kind in ["clientStreaming", "serverStreaming", "bidirectionalStreaming"] {
            #expect(text.contains(", kind: .\(kind),"), "\(kind)")
        }
        #expect(text.contains("name: \"one\",\n"))
        #expect(text.contains("protocol SynchronousAService"))
    }

    @Test("A refusal is stored in a response, but not in a stream of responses")
    func refusalsOfStreams() throws {
        let text = try Protoc.generate([
            "a.proto": head + """
                message M { int32 ret_code = 1; string res_info = 2; }
                service A { rpc up(stream M) returns (M); rpc down(M) returns (stream M); }
                """
        ]).onlyContent
        #expect(text.split(separator: "setError:").count == 2)
    }

    @Test("Accepts proto2 and optional fields of proto3")
    func acceptsBothSyntaxes() throws {
        let response = try Protoc.generate([
            "a.proto": "message M { required int32 a = 1; } service A { rpc go(M) returns (M); }",
            "b.proto": head
                + "message O { optional int32 a = 1; } service B { rpc go(O) returns (O); }",
        ])
        #expect(response.file.count == 2, "\(response.error)")
    }
}
