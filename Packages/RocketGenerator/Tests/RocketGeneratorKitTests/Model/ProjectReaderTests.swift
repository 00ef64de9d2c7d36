import RocketGeneratorPlugin
import Testing

@testable import RocketGeneratorKit

@Suite("Reading a .proto file for a project")
struct ProjectReaderTests {
    /// What a run has written down of its methods.
    private func records(_ project: ProjectModel) -> [MethodRecord.Entry] {
        project.services.flatMap { MethodRecord($0.methods).entries }
    }

    @Test("a method keeps the names that it had, whatever comes before it")
    func keepsNames() throws {
        let head = "syntax = \"proto3\"; message M {} "
        let second = "service Second { rpc get(M) returns (M); }"
        let old = records(try Sample.project(head + second))
        let text = head + "service First { rpc get(M) returns (M); } " + second
        let project = try Sample.project(text, old: old)
        #expect(project.methods.map(\.interface) == ["GetInterface", "Get"])
        #expect(project.methods.map(\.testClient) == ["test_first_get_client", "test_get_client"])
    }

    @Test("a method gives its name up to a message, and that is told")
    func yieldsToMessages() throws {
        let head = "syntax = \"proto3\"; message M {} "
        let service = "service S { rpc get(M) returns (M); }"
        let old = records(try Sample.project(head + service))
        let project = try Sample.project(head + "message Get {} " + service, old: old)
        #expect(project.methods.map(\.interface) == ["GetInterface"])
        let lines = MethodChanges(project: project, old: old).lines
        #expect(lines.first?.hasPrefix("S.get is now GetInterface, a message is Get: ") == true)
    }

    @Test("names what each method gets")
    func names() throws {
        let project = try Sample.project(Sample.order)
        let method = try #require(project.methods.first)
        #expect(method.fullName == "Order.makeOrder")
        #expect(method.interface == "MakeOrder")
        #expect(method.testClient == "test_make_order_client")
        #expect(method.implementation == "OrderServiceImpl")
        #expect(method.signature == "(makeOrderRequest) returns (makeOrderResponse)")
        #expect(method.model.businessFields?.code == "retCode")
        #expect(method.model.businessFields?.info == "resInfo")
    }

    @Test("gives methods of the same name in two services different files")
    func collisions() throws {
        let project = try Sample.project(
            """
            syntax = "proto3"; package a;
            message M {}
            service One { rpc get(M) returns (M); }
            service Two { rpc get(M) returns (M); }
            """)
        #expect(project.methods.map(\.interface) == ["Get", "GetInterface"])
        #expect(
            project.methods.map(\.testClient) == ["test_get_client", "test_a_two_get_client"])
    }

    @Test("lets no method hide a message, a word of Swift or the project's own")
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
        "knows which responses can tell a refusal",
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

    @Test("refuses streams by name and place")
    func streams() {
        let failure = #expect(throws: GeneratorFailure.self) {
            try Sample.project(
                """
                syntax = "proto3"; message M {}
                service S { rpc go(stream M) returns (M); }
                """)
        }
        #expect(
            failure?.details == [
                "order.proto:2:13: method 'S.go' streams its requests: Rocket has only unary "
                    + "methods"
            ])
    }

    @Test("refuses a file with no method")
    func noMethod() {
        let failure = #expect(throws: GeneratorFailure.self) {
            try Sample.project("syntax = \"proto3\"; service A {} service B {}")
        }
        #expect(failure?.description.contains("order.proto has no method") == true)
    }

    @Test("refuses a file with no service")
    func noService() {
        let failure = #expect(throws: GeneratorFailure.self) {
            try Sample.project("syntax = \"proto3\"; message M {}")
        }
        #expect(failure?.description.contains("order.proto has no service") == true)
    }
}
