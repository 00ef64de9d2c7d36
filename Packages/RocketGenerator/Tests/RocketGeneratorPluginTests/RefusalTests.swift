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

    @Test("Include streams, each with the name and position of its method")
    func includeStreams() throws {
        let text = try refusal(
            """
            service S {
              rpc up(stream M) returns (N);
              rpc fine(M) returns (N);
              rpc down(M) returns (stream N);
                rpc both(stream M) returns (stream N);
            }
            """)
        #expect(
            text == """
                a.proto:3:3: method 'S.up' streams its requests: Rocket has only unary methods
                a.proto:5:3: method 'S.down' streams its responses: Rocket has only unary methods
                a.proto:6:5: method 'S.both' streams its requests and responses: \
                Rocket has only unary methods
                """)
    }

    @Test("Include methods with the same name in Swift")
    func includeMethodsWithOneName() throws {
        #expect(
            try refusal("service S { rpc do_it(M) returns (N);\nrpc DoIt(M) returns (N); }")
                == "a.proto:3:1: methods 'S.do_it' and 'S.DoIt' have the same name 'doIt' in Swift")
    }

    @Test("Include methods without a valid name in Swift")
    func includeMethodsWithoutName() throws {
        #expect(
            try refusal("service S { rpc _(M) returns (N); }")
                == "a.proto:2:13: method 'S._' has no valid name in Swift")
    }

    @Test("Include services with the name of a message")
    func includeServicesNamedAsMessages() throws {
        #expect(
            try refusal("service Order {}\nmessage OrderClient {}")
                == "a.proto:2:1: service 'Order' needs the Swift name 'OrderClient', "
                + "which is taken by message 'OrderClient'")
        #expect(
            try refusal("service Order {}\nenum OrderMethods { A = 0; }")
                == "a.proto:2:1: service 'Order' needs the Swift name 'OrderMethods', "
                + "which is taken by enum 'OrderMethods'")
    }

    @Test("Include services with the same name in Swift, also in different files")
    func includeServicesWithOneName() throws {
        #expect(
            try refusal("service Order {}\nservice OrderService {}")
                == "a.proto:3:1: service 'OrderService' needs the Swift name 'OrderService', "
                + "which is taken by service 'Order'\n"
                + "a.proto:3:1: service 'OrderService' needs the Swift name "
                + "'SynchronousOrderService', which is taken by service 'Order'")
        let response = try Protoc.generate([
            "a.proto": "package a; service Order {}",
            "b.proto": "option swift_prefix = \"A_\";\npackage b; service order {}",
        ])
        #expect(
            response.error.hasPrefix(
                "b.proto:2:12: service 'b.order' needs the Swift name 'A_OrderService', "
                    + "which is taken by service 'a.Order'\n"))
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
