import RocketGeneratorPlugin
import Testing

@testable import RocketGeneratorKit

@Suite("Templates of a project's files")
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

    @Test("A service passes each call to its interface")
    func implementation() throws {
        let project = try Sample.project(Sample.order)
        let service = try #require(project.services.first)
        let template = ImplementationTemplate(service: service, names: project.names)
        #expect(
            template.function(try #require(service.methods.first)).text == """
                /// Makes one order.
                public func makeOrder(
                    _ request: MakeOrderRequest, _ call: RPCController
                ) async throws -> MakeOrderResponse {
                    try await MakeOrder(request: request, call: call, resources: resources).answer()
                }

                """)
    }

    @Test("An interface stores a refusal in a response that has the fields")
    func setErrorFills() throws {
        let (project, method) = try method(Sample.order)
        #expect(
            InterfaceTemplate(method: method, names: project.names).setError.text == """
                /// Stores a refusal in the response.
                mutating func setError(_ error: BusinessException) {
                    response.retCode = error.code
                    response.resInfo = error.info
                }

                """)
    }

    @Test("An interface fails the call if the response has no fields for a refusal")
    func setErrorFails() throws {
        let (project, method) = try method(wellKnown)
        let template = InterfaceTemplate(method: method, names: project.names)
        #expect(
            template.setError.contains(
                "    throw error"))
        #expect(template.lines.contains("import SwiftProtobuf"))
        #expect(template.lines.contains("    var response = SwiftProtobuf.Google_Protobuf_Empty()"))
    }

    @Test("A test client has a subcommand for each method, also one that is named like a keyword")
    func client() throws {
        let project = try Sample.project(
            """
            syntax = "proto3"; package shop.v1; message M {}
            service S { rpc class(M) returns (M); rpc go(M) returns (M); }
            """)
        let service = try #require(project.services.first)
        #expect(
            TestClientTemplate(project: project, service: service).lines.text == """
                import Order
                import RocketProgram

                // Calls a method of `shop.v1.S`: test_s_client METHOD HOST PORT [JSON]
                await TestClient.run([
                    .init(Shop_V1_SMethods.`class`),
                    .init(Shop_V1_SMethods.go),
                ])

                """)
    }

    @Test("A test client of one method has no comma behind it")
    func clientOfOneMethod() throws {
        let project = try Sample.project(
            """
            syntax = "proto3"; package shop.v1; message M {}
            service S { rpc go(M) returns (M); }
            """)
        let service = try #require(project.services.first)
        let lines = TestClientTemplate(project: project, service: service).lines
        #expect(lines.contains("    .init(Shop_V1_SMethods.go)"))
    }

    @Test("A test expects the empty response of a new interface")
    func test() throws {
        let (project, method) = try method(wellKnown)
        let lines = TestTemplate(project: project, method: method).lines
        #expect(lines.contains("        #expect(response == .init())"))
        #expect(lines.contains("@Suite(\"shop.v1.S.class\")"))
    }

    @Test("A test names no message, so none can meet a name of a library")
    func testNamesNoMessage() throws {
        let (project, method) = try method(
            """
            syntax = "proto2"; message Metadata { required int32 x = 1; } message Issue {}
            service S { rpc go(Metadata) returns (Issue); }
            """)
        let text = TestTemplate(project: project, method: method).lines.text
        #expect(!text.contains("Metadata") && !text.contains("Issue"))
        #expect(
            text.contains(
                """
                        let response = try await client.go(
                            .with {
                                $0.x = .init()
                            })
                """))
    }

    @Test(
        "A test of a deprecated method does not use its client, since warnings are errors",
        arguments: [
            "service S { rpc go(M) returns (M) { option deprecated = true; } }",
            "service S { option deprecated = true; rpc go(M) returns (M); }",
        ])
    func deprecated(service: String) throws {
        let (project, method) = try method("syntax = \"proto3\"; message M {} \(service)")
        let text = TestTemplate(project: project, method: method).lines.text
        #expect(!text.contains("SClient"))
        #expect(text.contains("let response = try await channel.call(SMethods.go, .init())"))
    }

    @Test("A Makefile has the paths of all inputs, quoted where a shell needs it")
    func inputs() throws {
        let project = try Sample.project([
            "order.proto": Sample.order,
            "my $ 'other'.proto": "syntax = \"proto3\";",
        ])
        let makefile = BuildTemplates(project: project).makefile.text
        #expect(
            makefile.contains(
                "-i Protos/order.proto -i 'Protos/my $$ '\\''other'\\''.proto' -I Protos -o ."))
    }

    @Test("No file has an absolute path of this machine")
    func noAbsolutePaths() throws {
        let project = try Sample.project(Sample.order)
        let manifest = ManifestTemplate(project: project).lines
        #expect(manifest.contains("let rocket = Context.environment[\"ROCKET\"] ?? \"../rocket\""))
        let makefile = BuildTemplates(project: project).makefile
        #expect(makefile.contains("export ROCKET ?= ../rocket"))
        #expect(
            makefile.contains(
                "ROCKET_GENERATOR ?= $(or $(shell command -v rocket_generator),"
                    + "$(wildcard $(ROCKET)/bin/rocket_generator))"))
    }

    @Test("A project of a repository builds the generator for make generate from its dependencies")
    func generatorOfRepository() throws {
        var project = try Sample.project(Sample.order)
        project.rocket = .repository(url: "https://h/rocket", requirement: "branch: \"main\"")
        let makefile = BuildTemplates(project: project).makefile
        #expect(makefile.contains("ROCKET_GENERATOR ?= $(shell command -v rocket_generator)"))
        #expect(makefile.text.contains("$(SWIFT_BUILD) --product rocket_generator"))
        #expect(makefile.text.contains("$(SWIFT_BUILD) --product protoc-gen-swift"))
    }

    @Test("main.swift serves all services")
    func services() throws {
        let project = try Sample.project(
            "syntax = \"proto3\"; message M {} service A { rpc a(M) returns (M); } service B {}")
        #expect(
            MainTemplate(project: project).services == [
                "AServiceImpl(resources),", "BServiceImpl(resources),",
            ])
    }

    @Test("Names that messages hide are qualified")
    func hidden() throws {
        let project = try Sample.project(
            "syntax = \"proto3\"; message Program {} message RocketLogger {}\n"
                + "service S { rpc a(Program) returns (RocketLogger); }")
        let main = MainTemplate(project: project).lines
        #expect(main.last == "await RocketProgram.Program.run(OrderCommand.self)")
        let common = CommonTemplates(project: project).interface
        #expect(common.contains("    public let log: RocketBase.RocketLogger"))
    }

    @Test("Names that messages hide are qualified in attributes, too")
    func hiddenAttributes() throws {
        let (project, method) = try method(
            "syntax = \"proto3\"; message Option {} message Test {}\n"
                + "service S { rpc a(Option) returns (Test); }")
        let main = MainTemplate(project: project).lines.text
        #expect(main.contains("    @ArgumentParser.Option(help:"))
        let test = TestTemplate(project: project, method: method).lines
        #expect(test.contains("    @Testing.Test(\"Returns a response\")"))
    }

    @Test("The list of test clients has the layout of swift-format", arguments: [1, 2])
    func clients(count: Int) throws {
        let services = (1...count).map { "service S\($0) { rpc go(M) returns (M); }" }.joined()
        let project = try Sample.project("syntax = \"proto3\"; message M {} \(services)")
        let one = ["let testClients = [\"test_s1_client\"]"]
        let two = [
            "let testClients = [", "    \"test_s1_client\",", "    \"test_s2_client\",", "]",
        ]
        #expect(ClientListTemplate.declaration(project.services) == (count == 1 ? one : two))
    }

    @Test("The program serves by default, and checks the health of a server by its subcommand")
    func subcommands() throws {
        let main = MainTemplate(project: try Sample.project(Sample.order)).lines.text
        #expect(
            main.contains("subcommands: [Serve.self, Health.self], defaultSubcommand: Serve.self"))
        #expect(main.contains("var to = \"127.0.0.1:12345\""))
        #expect(main.contains("installed: \"/etc/order/rocket.xml\""))
        let run = ScriptTemplates(program: "order").run.text
        #expect(
            run.contains(
                "\"$server\" health ${HEALTH_OPTIONS-} --timeout 10s --to \"${address%% *}\""))
    }

    @Test("The program serves gRPC clients on the same listeners")
    func grpc() throws {
        let project = try Sample.project(Sample.order)
        let main = MainTemplate(project: project).lines
        #expect(main.contains("import RocketGRPC"))
        #expect(main.text.contains("security: tls.provider, protocols: [.grpc()],"))
        #expect(main.text.contains("hasAdmin: true, hasTracing: true)"))
        let manifest = ManifestTemplate(project: project).lines.text
        #expect(manifest.contains(".package(path: \"\\(rocket)/Packages/RocketGRPC\"),"))
        #expect(
            manifest.contains(
                "                .product(name: \"RocketGRPC\", package: \"RocketGRPC\"),\n"))
    }

    @Test("The README tells how to install, check, reload and read the log of the service")
    func readme() throws {
        let readme = ReadmeTemplate(project: try Sample.project(Sample.order)).lines.text
        for text in [
            "sudo make install", "order health", "systemctl reload order",
            "journalctl -u order", "--check-config /etc/order/rocket.xml",
            "server.health.set(.notServing, for: \"Order\")",
        ] {
            #expect(readme.contains(text))
        }
    }

    @Test("Scripts and configuration contain the program's name")
    func programName() {
        #expect(ScriptTemplates(program: "shop").run.contains("server=$project/bin/shop"))
        let conf = ConfigurationTemplates(program: "shop", port: 9000)
        #expect(conf.rocketXML.contains("    <port>9000</port>"))
    }
}
