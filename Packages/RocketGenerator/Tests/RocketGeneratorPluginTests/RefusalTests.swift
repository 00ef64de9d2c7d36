import SwiftProtobufPluginLibrary
import Testing

@testable import RocketGeneratorPlugin

@Suite("Problems of a .proto file")
struct RefusalTests {
    private let head = "syntax = \"proto3\"; message M {} message N {}"

    /// Returns the error for a file and checks that nothing is generated.
    private func refusal(_ body: String, options: String = "") throws -> String {
        let response = try Protoc.generate(["a.proto": "\(head)\n\(body)"], options: options)
        #expect(response.file.isEmpty)
        return response.error
    }

    @Test("Include methods with the same name in Swift")
    func includeMethodsWithOneName() throws {
        #expect(
            try refusal("service S { rpc do_it(M) returns (N);\nrpc DoIt(stream M) returns (N); }")
                == "a.proto:3:1: methods 'S.do_it' and 'S.DoIt' have the same name 'doIt' in Swift")
    }

    @Test("Include methods without a valid name in Swift")
    func includeMethodsWithoutName() throws {
        #expect(
            try refusal("service S { rpc _(M) returns (N); }")
                == "a.proto:2:13: method 'S._' has no valid name in Swift")
    }

    @Test("Include services for which both forms of a name are taken")
    func includeServicesWithoutFreeName() throws {
        #expect(
            try refusal("service Order {}\nmessage OrderClient {}\nenum OrderRPCClient { A = 0; }")
                == "a.proto:2:1: service 'Order' needs the Swift name 'OrderClient' or "
                + "'OrderRPCClient', which are taken by message 'OrderClient' and enum "
                + "'OrderRPCClient'")
    }

    @Test("Do not include services with a name that is taken once")
    func takenOnce() throws {
        let text = try Protoc.generate([
            "a.proto": head + """
                service Order { rpc go(M) returns (N); } service OrderService {}
                message OrderClient {} enum OrderMethods { A = 0; }
                """
        ]).onlyContent
        for declaration in [
            "protocol OrderService:", "enum OrderRPCMethods", "struct OrderRPCClient",
            "protocol OrderServiceRPCService:", "struct OrderServiceClient",
        ] {
            #expect(text.contains(declaration), "\(declaration)")
        }
    }

    @Test("Do not include names that an option omits")
    func omittedNames() throws {
        let proto = head + "message OrderClient {} service Order { rpc go(M) returns (N); }"
        let text = try Protoc.generate(["a.proto": proto], options: "Client=false").onlyContent
        #expect(text.contains("enum OrderMethods"))
        let other = head + "message OrderService {} service Order { rpc go(M) returns (N); }"
        let client = try Protoc.generate(["a.proto": other], options: "Server=false").onlyContent
        #expect(client.contains("struct OrderClient"))
    }

    @Test("Include unknown options")
    func includeUnknownOptions() throws {
        #expect(try refusal("service S {}", options: "Foo=1").hasPrefix("unknown option 'Foo'"))
    }

    @Test("Have no position if protoc sends none")
    func haveNoPosition() {
        let problem = ProtoProblem(file: "a.proto", message: "is odd")
        #expect(problem.description == "a.proto: is odd")
    }
}
