import RocketGeneratorPlugin
import Testing

@testable import RocketGeneratorKit

@Suite("Reader of a .proto file")
struct ProjectReaderTests {
    /// Returns the records that a run writes for its methods.
    private func records(_ project: ProjectModel) -> [MethodRecord.Entry] {
        project.services.flatMap { MethodRecord($0.methods).entries }
    }

    @Test("A method keeps its names when others are added before it")
    func keepsNames() throws {
        let head = "syntax = \"proto3\"; message M {} "
        let second = "service Second { rpc get(M) returns (M); }"
        let old = records(try Sample.project(head + second))
        let text = head + "service First { rpc get(M) returns (M); } " + second
        let project = try Sample.project(text, old: old)
        #expect(project.methods.map(\.interface) == ["GetInterface", "Get"])
    }

    @Test("A service keeps its test client when others are added before it")
    func keepsTestClients() throws {
        let second =
            "syntax = \"proto3\"; package b; message M {} service S { rpc get(M) returns (M); }"
        let old = records(try Sample.project(second))
        let first =
            "syntax = \"proto3\"; package a; message M {} service S { rpc do(M) returns (M); }"
        let project = try Sample.project(["a.proto": first, "order.proto": second], old: old)
        #expect(project.services.map(\.testClient) == ["test_a_s_client", "test_s_client"])
    }

    @Test("Several files make one project")
    func severalFiles() throws {
        let project = try Sample.project([
            "a.proto": """
            syntax = "proto3"; package a; import "m.proto"; service A { rpc get(m.M) returns (m.M); }
            """,
            "b.proto": """
            syntax = "proto3"; package b; import "m.proto"; service B { rpc get(m.M) returns (m.M); }
            """,
            "m.proto": "syntax = \"proto3\"; package m; message M {}",
        ])
        #expect(project.protoPaths == ["a.proto", "b.proto", "m.proto"])
        #expect(project.services.map(\.model.fullName) == ["a.A", "b.B"])
        #expect(project.methods.map(\.interface) == ["Get", "GetInterface"])
    }

    @Test("No interface is the entry of a program or hides a module or type of generated code")
    func reservedNames() throws {
        let project = try Sample.project(
            """
            syntax = "proto3"; message M { bytes b = 1; } enum E { Z = 0; }
            service S {
              rpc Main(M) returns (M); rpc Swift(M) returns (M);
              rpc Foundation(M) returns (M); rpc Data(M) returns (M); rpc RPCMethod(M) returns (M);
              rpc UInt32(M) returns (M); rpc RocketBase(M) returns (M);
            }
            """)
        #expect(
            project.methods.map(\.interface) == [
                "MainInterface", "SwiftInterface", "FoundationInterface",
                "DataInterface", "RPCMethodInterface", "UInt32Interface", "RocketBaseInterface",
            ])
    }

    @Test("No interface's file has the name of an entry in capitals")
    func mainInCapitals() throws {
        let project = try Sample.project(
            "syntax = \"proto3\"; message M {} service S { rpc MAIN(M) returns (M); }")
        #expect(project.methods.map(\.interface) == ["MAINInterface"])
    }

    @Test("A common type gets a free name")
    func commonTypes() throws {
        let project = try Sample.project(
            """
            syntax = "proto3"; message Resources {} message ServiceResources {} message M {}
            service S { rpc go(M) returns (M); }
            """)
        #expect(project.names.resources == "ServiceResources2")
    }

    @Test(
        "No test client has the name of the server program",
        arguments: ["test_s_client", "test-s-client"])
    func programNames(name: String) throws {
        let project = try Sample.project(
            "syntax = \"proto3\"; package p; message M {} service S { rpc go(M) returns (M); }",
            name: name)
        #expect(project.services.map(\.testClient) == ["test_p_s_client"])
    }

    @Test("A method loses its name to a message, and the change is reported")
    func yieldsToMessages() throws {
        let head = "syntax = \"proto3\"; message M {} "
        let service = "service S { rpc get(M) returns (M); }"
        let old = records(try Sample.project(head + service))
        let project = try Sample.project(head + "message Get {} " + service, old: old)
        #expect(project.methods.map(\.interface) == ["GetInterface"])
        let record = ["SServiceImpl.swift": MethodRecord.lines(old).text]
        let lines = MethodChanges(project: project, state: FolderState(files: record)).lines
        #expect(
            lines.first?.hasPrefix(
                "the interface of S.get is now GetInterface, since a message has the name Get: ")
                == true)
    }

    @Test("Names the types and programs of each method")
    func names() throws {
        let project = try Sample.project(Sample.order)
        let method = try #require(project.methods.first)
        #expect(method.fullName == "Order.makeOrder")
        #expect(method.interface == "MakeOrder")
        #expect(method.testClient == "test_order_client")
        #expect(method.implementation == "OrderServiceImpl")
        #expect(method.signature == "(makeOrderRequest) returns (makeOrderResponse)")
        #expect(method.model.businessFields?.code == "retCode")
        #expect(method.model.businessFields?.info == "resInfo")
    }

    @Test("Assigns different files to methods with the same name in two services")
    func collisions() throws {
        let project = try Sample.project(
            """
            syntax = "proto3"; package a;
            message M {}
            service One { rpc get(M) returns (M); }
            service Two { rpc get(M) returns (M); }
            """)
        #expect(project.methods.map(\.interface) == ["Get", "GetInterface"])
        #expect(project.services.map(\.testClient) == ["test_one_client", "test_two_client"])
    }

    @Test("No interface hides a message, a name of Swift or a name of the project")
    func hiding() throws {
        let project = try Sample.project(
            """
            syntax = "proto3";
            message Buy {} message Resources {}
            service S {
              rpc Buy(.Buy) returns (Resources); rpc error(.Buy) returns (.Buy);
              rpc Type(.Buy) returns (.Buy); rpc interface(.Buy) returns (.Buy);
              rpc class(.Buy) returns (.Buy); rpc _2fa(.Buy) returns (.Buy);
            }
            """)
        #expect(
            project.methods.map(\.interface) == [
                "BuyInterface", "ErrorInterface", "TypeInterface", "InterfaceInterface", "Class",
                "S2fa",
            ])
        #expect(project.names.resources == "ServiceResources")
    }

    @Test(
        "Finds the responses with fields for a refusal",
        arguments: [
            ("int32 ret_code = 1; string res_info = 2;", true),
            ("int64 ret_code = 1; string res_info = 2;", false),
            ("int32 ret_code = 1; bytes res_info = 2;", false),
            ("repeated int32 ret_code = 1; string res_info = 2;", false),
            ("sint32 ret_code = 1; string res_info = 2;", false),
            ("int32 retCode = 1; string resInfo = 2;", false),
            ("optional int32 ret_code = 1; optional string res_info = 2;", true),
            ("int32 ret_code = 1; oneof kind { string res_info = 2; int32 other = 3; }", false),
            ("oneof kind { int32 ret_code = 1; string res_info = 2; }", false),
            ("int32 ret_code = 1;", false), ("", false),
        ])
    func businessFields(fields: String, has: Bool) throws {
        let project = try Sample.project(
            """
            syntax = "proto3"; message M { \(fields) }
            service S { rpc go(M) returns (M); }
            """)
        #expect(project.methods.map { $0.model.businessFields != nil } == [has])
    }

    @Test("Methods with streams have names like others, and signatures with their streams")
    func streams() throws {
        let project = try Sample.project(
            """
            syntax = "proto3"; message M {} message Watch {}
            service S {
              rpc up(stream M) returns (M); rpc watch(M) returns (stream M);
              rpc both(stream M) returns (stream M);
            }
            """)
        #expect(project.methods.map(\.interface) == ["Up", "WatchInterface", "Both"])
        #expect(
            project.methods.map(\.signature) == [
                "(stream M) returns (M)", "(M) returns (stream M)", "(stream M) returns (stream M)",
            ])
        #expect(
            project.methods.map(\.model.kind) == [
                .clientStreaming, .serverStreaming, .bidirectionalStreaming,
            ])
    }

    @Test("Rejects a file without methods")
    func noMethod() {
        let failure = #expect(throws: GeneratorFailure.self) {
            try Sample.project("syntax = \"proto3\"; service A {} service B {}")
        }
        #expect(failure?.description.contains("order.proto has no method") == true)
    }

    @Test("Rejects a file without services")
    func noService() {
        let failure = #expect(throws: GeneratorFailure.self) {
            try Sample.project("syntax = \"proto3\"; message M {}")
        }
        #expect(failure?.description.contains("order.proto has no service") == true)
    }
}
