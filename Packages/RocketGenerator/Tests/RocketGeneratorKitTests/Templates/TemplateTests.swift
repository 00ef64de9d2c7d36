import RocketGeneratorPlugin
import Testing

@testable import RocketGeneratorKit

@Suite("What a project's files are made of")
struct TemplateTests {
    private let wellKnown = """
        syntax = "proto3"; package shop.v1; import "google/protobuf/empty.proto";
        message M {}
        service S { rpc class(google.protobuf.Empty) returns (google.protobuf.Empty); }
        """

    private func method(_ proto: String) throws -> (ProjectModel, ProjectMethod) {
        let project = try Sample.project(proto)
        return (project, try #require(project.methods.first))
    }

    @Test("a service hands each call to its interface")
    func implementation() throws {
        let project = try Sample.project(Sample.order)
        let service = try #require(project.services.first)
        let piece = ImplementationTemplate(service: service, names: project.names)
        #expect(
            piece.function(try #require(service.methods.first)).text == """
                /// Makes one order.
                public func makeOrder(
                    _ request: MakeOrderRequest, _ call: RPCController
                ) async throws -> MakeOrderResponse {
                    try await MakeOrder(request: request, call: call, resources: resources).answer()
                }

                """)
    }

    @Test("an interface tells a refusal where its response can")
    func setErrorFills() throws {
        let (project, method) = try method(Sample.order)
        #expect(
            InterfaceTemplate(method: method, names: project.names).setError.text == """
                /// Tells a refusal.
                mutating func setError(_ error: BusinessException) {
                    response.retCode = error.code
                    response.resInfo = error.info
                }

                """)
    }

    @Test("an interface fails the call where its response can't")
    func setErrorFails() throws {
        let (project, method) = try method(wellKnown)
        let piece = InterfaceTemplate(method: method, names: project.names)
        #expect(
            piece.setError.contains(
                "    throw error"))
        #expect(piece.lines.contains("import SwiftProtobuf"))
        #expect(piece.lines.contains("    var response = SwiftProtobuf.Google_Protobuf_Empty()"))
    }

    @Test("a client calls its method, also one with a keyword's name")
    func client() throws {
        let (project, method) = try method(wellKnown)
        #expect(
            MethodTemplates(project: project, method: method).testClient.text == """
                import Order
                import RocketProgram

                /// Calls `shop.v1.S.class`: test_class_client HOST PORT [JSON]
                @main
                struct ClassTestClient {
                    static func main() async {
                        await TestClient.run(Shop_V1_SMethods.`class`)
                    }
                }

                """)
    }

    @Test("a test expects the empty answer that a new interface gives")
    func test() throws {
        let (project, method) = try method(wellKnown)
        let lines = MethodTemplates(project: project, method: method).test
        #expect(
            lines.contains("        #expect(response == SwiftProtobuf.Google_Protobuf_Empty())"))
        #expect(lines.contains("@Suite(\"shop.v1.S.class\")"))
    }

    @Test("main.swift serves every service")
    func services() throws {
        let project = try Sample.project(
            "syntax = \"proto3\"; message M {} service A { rpc a(M) returns (M); } service B {}")
        #expect(
            MainTemplate(project: project).services == [
                "AServiceImpl(resources),", "BServiceImpl(resources),",
            ])
    }

    @Test("names that messages hide come with their module")
    func hidden() throws {
        let project = try Sample.project(
            "syntax = \"proto3\"; message Program {} message RocketLogger {}\n"
                + "service S { rpc a(Program) returns (RocketLogger); }")
        let main = MainTemplate(project: project).lines
        #expect(main.last == "await RocketProgram.Program.run(OrderCommand.self)")
        let common = CommonTemplates(project: project).interface
        #expect(common.contains("    public let log: RocketBase.RocketLogger"))
    }

    @Test("names that messages hide come with their module in attributes, too")
    func hiddenAttributes() throws {
        let (project, method) = try method(
            "syntax = \"proto3\"; message Option {} message Test {}\n"
                + "service S { rpc a(Option) returns (Test); }")
        let main = MainTemplate(project: project).lines.text
        #expect(main.contains("    @ArgumentParser.Option(help:"))
        let test = MethodTemplates(project: project, method: method).test
        #expect(test.contains("    @Testing.Test(\"is answered\")"))
    }

    @Test("the list of clients is as swift-format wants it", arguments: [1, 2])
    func clients(count: Int) throws {
        let methods = (1...count).map { "rpc m\($0)(M) returns (M);" }.joined()
        let project = try Sample.project(
            "syntax = \"proto3\"; message M {} service S { \(methods) }")
        let one = ["let testClients = [\"test_m1_client\"]"]
        let two = [
            "let testClients = [", "    \"test_m1_client\",", "    \"test_m2_client\",", "]",
        ]
        #expect(ClientListTemplate.body(project.methods) == (count == 1 ? one : two))
    }

    @Test("scripts and units name the program")
    func places() {
        #expect(ScriptTemplates(program: "shop").run.contains("server=$project/bin/shop"))
        let conf = ConfigurationTemplates(program: "shop", port: 9000)
        #expect(conf.socket.contains("ListenStream=127.0.0.1:9000"))
        #expect(conf.rocketXML.contains("    <port>9000</port>"))
        #expect(
            conf.service.contains("ExecStart=/usr/local/bin/shop /etc/shop/rocket.xml"))
    }
}
