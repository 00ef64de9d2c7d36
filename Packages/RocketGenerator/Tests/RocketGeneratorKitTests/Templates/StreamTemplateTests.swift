import RocketGeneratorPlugin
import Testing

@testable import RocketGeneratorKit

@Suite("Templates of a project's files for methods with streams")
struct StreamTemplateTests {
    private func project(_ rpc: String, messages: String = "message M {}") throws -> ProjectModel {
        try Sample.project("syntax = \"proto2\"; \(messages) service Order { \(rpc) }")
    }

    private func stub(_ project: ProjectModel) throws -> String {
        let method = try #require(project.methods.last)
        return StreamTemplate(method: method, names: project.names).lines.text
    }

    private func test(_ project: ProjectModel) throws -> String {
        let method = try #require(project.methods.last)
        return StreamTestTemplate(project: project, method: method).lines.text
    }

    @Test("A server stream is a function that gets the request and a writer")
    func serverStream() throws {
        #expect(
            try stub(project("rpc watch(M) returns (stream M);")) == """
                public import RocketRPC
                import SwiftProtobuf

                extension OrderServiceImpl {
                    /// Handles `Order.watch`.
                    public func watch(_ request: M, _ responses: RPCWriter<M>, _ call: RPCController) async throws {
                        // Your logic goes here. Without it, there are no responses.
                        // `try await responses.write(…)` sends one and waits while the client reads slowly; the
                        // stream ends when this function returns. Throw a `BusinessException` to fail the
                        // call with its code. What all calls use is in `resources`.
                    }
                }

                """)
    }

    @Test("A client stream is a function that reads all requests and returns the response")
    func clientStream() throws {
        #expect(
            try stub(
                project(
                    "rpc send(stream M) returns (N);",
                    messages: "message M {} message N { required bytes b = 1; }")) == """
                    import Foundation
                    public import RocketRPC
                    import SwiftProtobuf

                    extension OrderServiceImpl {
                        /// Handles `Order.send`.
                        public func send(_ requests: RPCMessageStream<M>, _ call: RPCController) async throws -> N {
                            for try await _ in requests {
                                // Your logic goes here. Without it, the requests are ignored.
                            }
                            return N.with {
                                $0.b = .init()
                            }
                        }
                    }

                    """)
    }

    @Test("A bidirectional stream is a function that gets both streams")
    func bidirectionalStream() throws {
        let text = try stub(project("rpc chat(stream M) returns (stream M);"))
        #expect(
            text.contains(
                """
                    public func chat(
                        _ requests: RPCMessageStream<M>, _ responses: RPCWriter<M>, _ call: RPCController
                    ) async throws {
                        for try await _ in requests {
                """))
    }

    @Test("A stub imports the module of its messages with the access of its signature")
    func imports() throws {
        let project = try Sample.project(
            """
            syntax = "proto3"; import "google/protobuf/empty.proto"; message M {}
            service S { rpc go(google.protobuf.Empty) returns (stream M); }
            """)
        #expect(
            try stub(project).hasPrefix("public import RocketRPC\npublic import SwiftProtobuf\n"))
    }

    @Test("Names that messages hide are qualified")
    func hidden() throws {
        let text = try stub(
            project(
                "rpc go(stream RPCWriter) returns (stream RPCMessageStream);",
                messages: "message RPCWriter {} message RPCMessageStream {}"))
        #expect(text.contains("_ requests: RocketRPC.RPCMessageStream<RPCWriter>"))
        #expect(text.contains("_ responses: RocketRPC.RPCWriter<RPCMessageStream>"))
    }

    @Test("The service creates interfaces for unary methods only")
    func implementation() throws {
        let project = try project(
            "rpc make(M) returns (M); rpc watch(M) returns (stream M);")
        let service = try #require(project.services.first)
        let text = ImplementationTemplate(service: service, names: project.names).lines.text
        #expect(text.contains("    let resources: Resources\n"))
        #expect(text.contains("Make(request: request"))
        #expect(text.contains("//   rpc Order.watch(M) returns (stream M)\n"))
        #expect(!text.contains("func watch"))
    }

    @Test("A service with streams only imports what has the defaults of services")
    func onlyStreams() throws {
        let project = try project("rpc watch(M) returns (stream M);")
        let service = try #require(project.services.first)
        let text = ImplementationTemplate(service: service, names: project.names).lines.text
        #expect(text.contains("\nimport RocketRPC\n") && !text.contains("public import"))
    }

    @Test("The test of a server stream reads it to its end")
    func testOfServerStream() throws {
        #expect(
            try test(project("rpc watch(M) returns (stream M);")) == """
                import Order
                import RocketRPC
                import Testing

                @Suite("Order.watch")
                struct WatchTests {
                    @Test("Ends the stream of responses")
                    func endsTheStream() async throws {
                        let service = OrderServiceImpl(Resources())
                        let client = OrderClient(try RPCChannel(inProcess: [service]))
                        let responses = try await client.watch(.init())
                        var count = 0
                        for try await _ in responses { count += 1 }
                        #expect(count == 0)
                    }
                }

                """)
    }

    @Test("The test of a client stream writes one request")
    func testOfClientStream() throws {
        let text = try test(
            project(
                "rpc send(stream M) returns (N);",
                messages: "message M { required int32 x = 1; } message N {}"))
        #expect(
            text.contains(
                """
                        let response = try await client.send { requests in
                            try await requests.write(
                                .with {
                                    $0.x = .init()
                                })
                        }
                        #expect(response == .init())
                """))
    }

    @Test("The test of a bidirectional stream writes one request and reads to the end")
    func testOfBidirectionalStream() throws {
        let text = try test(project("rpc chat(stream M) returns (stream M);"))
        #expect(
            text.contains(
                """
                        let call = try await client.chat()
                        try await call.requests.write(.init())
                        call.finishRequests()
                        var count = 0
                        for try await _ in call.responses { count += 1 }
                """))
    }

    @Test(
        "The test of a deprecated method uses the channel, since warnings are errors",
        arguments: [
            ("(M) returns (stream M)", "try await channel.serverStream(OrderMethods.go, .init())"),
            (
                "(stream M) returns (M)",
                "try await channel.clientStream(OrderMethods.go) { requests in"
            ),
            ("(stream M) returns (stream M)", "try await channel.stream(OrderMethods.go)"),
        ])
    func deprecated(signature: String, call: String) throws {
        let text = try test(project("rpc go\(signature) { option deprecated = true; }"))
        #expect(text.contains(call) && !text.contains("OrderClient"))
    }

    @Test("A project with streams has the files of one without, and names both in its README")
    func files() throws {
        let project = try project("rpc make(M) returns (M); rpc watch(M) returns (stream M);")
        let paths = Sample.files(project).map(\.path)
        #expect(paths.contains("Sources/Order/interface/Watch.swift"))
        #expect(paths.contains("Tests/OrderTests/WatchTests.swift"))
        let readme = ReadmeTemplate(project: project).lines.text
        #expect(readme.contains("one function per method with streams"))
    }
}
