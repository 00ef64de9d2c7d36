import SwiftProtobufPluginLibrary
import Testing

@testable import RocketGeneratorPlugin

@Suite("What can't be generated")
struct RefusalTests {
    private let head = "syntax = \"proto3\"; message M {} message N {}"

    /// What is said against a file, with nothing generated.
    private func refusal(_ body: String, options: String = "") throws -> String {
        let response = try Protoc.generate(["a.proto": "\(head)\n\(body)"], options: options)
        #expect(response.file.isEmpty)
        return response.error
    }

    @Test("includes streams, each by its method's name and place")
    func includesStreams() throws {
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

    @Test("includes methods that are one in Swift")
    func includesMethodsThatAreOne() throws {
        #expect(
            try refusal("service S { rpc do_it(M) returns (N);\nrpc DoIt(M) returns (N); }")
                == "a.proto:3:1: methods 'S.do_it' and 'S.DoIt' would both be 'doIt' in Swift")
    }

    @Test("includes methods that have no name in Swift")
    func includesMethodsWithNoName() throws {
        #expect(
            try refusal("service S { rpc _(M) returns (N); }")
                == "a.proto:2:13: method 'S._' has no name that Swift can have")
    }

    @Test("includes services whose names a message has")
    func includesServicesNamedAsMessages() throws {
        #expect(
            try refusal("service Order {}\nmessage OrderClient {}")
                == "a.proto:2:1: service 'Order' needs the Swift name 'OrderClient', "
                + "which message 'OrderClient' has")
        #expect(
            try refusal("service Order {}\nenum OrderMethods { A = 0; }")
                == "a.proto:2:1: service 'Order' needs the Swift name 'OrderMethods', "
                + "which enum 'OrderMethods' has")
    }

    @Test("includes services that are one in Swift, in different files too")
    func includesServicesThatAreOne() throws {
        #expect(
            try refusal("service Order {}\nservice OrderService {}")
                == "a.proto:3:1: service 'OrderService' needs the Swift name 'OrderService', "
                + "which service 'Order' has\n"
                + "a.proto:3:1: service 'OrderService' needs the Swift name "
                + "'SynchronousOrderService', which service 'Order' has")
        let response = try Protoc.generate([
            "a.proto": "package a; service Order {}",
            "b.proto": "option swift_prefix = \"A_\";\npackage b; service order {}",
        ])
        #expect(
            response.error.hasPrefix(
                "b.proto:2:12: service 'b.order' needs the Swift name 'A_OrderService', "
                    + "which service 'a.Order' has\n"))
    }

    @Test("includes whatever is asked for by unknown options")
    func includesUnknownOptions() throws {
        #expect(try refusal("service S {}", options: "Foo=1").hasPrefix("unknown option 'Foo'"))
    }

    @Test("is told without a place when protoc sends none")
    func isToldWithoutAPlace() {
        let problem = ProtoProblem(file: "a.proto", message: "is odd")
        #expect(problem.description == "a.proto: is odd")
    }
}
