import RocketGeneratorPlugin
import Testing

@testable import RocketGeneratorKit

@Suite("Changes of methods")
struct MethodChangesTests {
    /// Returns the changes that a run for `new` reports after one for `old`.
    private func changes(from old: String, to new: String) throws -> [String] {
        let before = Sample.files(try Sample.project(old))
        let state = FolderState(files: Sample.written(before))
        return MethodChanges(project: try Sample.project(new), state: state).lines
    }

    private func proto(_ methods: String) -> String {
        """
        syntax = "proto3"; message A {} message B {}
        service S { \(methods) }
        """
    }

    private let first = "rpc first(A) returns (A);"

    @Test("Reports nothing for a first run and for equal methods")
    func nothing() throws {
        let project = try Sample.project(proto(first))
        #expect(MethodChanges(project: project, state: FolderState(files: [:])).lines.isEmpty)
        let lines = try changes(from: proto(first), to: proto(first))
        #expect(lines.isEmpty)
    }

    @Test("Reports a new method with its files")
    func new() throws {
        let lines = try changes(from: proto(first), to: proto(first + "rpc two(A) returns (B);"))
        #expect(
            lines == [
                "new method S.two(A) returns (B): Sources/Order/interface/Two.swift, "
                    + "Tests/OrderTests/TwoTests.swift"
            ])
    }

    @Test("Reports the files of a removed method")
    func removed() throws {
        let lines = try changes(from: proto(first + "rpc two(A) returns (B);"), to: proto(first))
        #expect(
            lines == [
                "S.two is gone, its files are yours to delete: Sources/Order/interface/Two.swift, "
                    + "Tests/OrderTests/TwoTests.swift"
            ])
    }

    @Test("Reports a renamed method as a new and a removed one")
    func renamed() throws {
        let lines = try changes(from: proto(first), to: proto("rpc other(A) returns (A);"))
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("new method S.other") == true)
        #expect(lines.last?.hasPrefix("S.first is gone") == true)
    }

    @Test("Reports a changed signature")
    func changed() throws {
        let lines = try changes(from: proto(first), to: proto("rpc first(A) returns (B);"))
        #expect(lines.count == 1)
        #expect(
            lines.first?.hasPrefix("S.first was (A) returns (A) and is (A) returns (B): ") == true)
    }

    @Test("Reports a changed kind, and how the files of the new kind can be seen")
    func changedKind() throws {
        let lines = try changes(
            from: proto(first), to: proto("rpc first(A) returns (stream A);"))
        #expect(
            lines == [
                "S.first was (A) returns (A) and is (A) returns (stream A): change "
                    + "Sources/Order/interface/First.swift, Tests/OrderTests/FirstTests.swift; "
                    + "--diff --force-user-files shows what they look like now"
            ])
        let back = try changes(
            from: proto("rpc first(stream A) returns (A);"), to: proto(first))
        #expect(back.first?.hasPrefix("S.first was (stream A) returns (A) and is (A)") == true)
    }

    @Test("A method with streams keeps its name when its service grows or its kind changes")
    func keepsStreamNames() throws {
        let head = "syntax = \"proto3\"; message M {} "
        let second = "service Second { rpc get(stream M) returns (stream M); }"
        let record = ["B.swift": MethodRecord(try Sample.project(head + second).methods).lines.text]
        let state = FolderState(files: record)
        for kind in ["(M) returns (M)", "(stream M) returns (M)"] {
            let text =
                head
                + "service First { rpc get(M) returns (M); } service Second { rpc get\(kind); }"
            let project = try Sample.project(text, old: state.methods)
            #expect(project.methods.map(\.interface) == ["GetInterface", "Get"])
        }
    }

    @Test("Reports that a new file must be added to the Makefile")
    func newInput() throws {
        let first = "syntax = \"proto3\"; message A {} service S { rpc go(A) returns (A); }"
        let second = "syntax = \"proto3\"; message B {} service T { rpc on(B) returns (B); }"
        let rocket = GeneratedSource(name: "order.rocket.swift", text: "", proto: "order.proto")
        let before = ProjectTree(
            project: try Sample.project(first), protos: [("order.proto", first)],
            generated: [rocket]
        ).files
        let project = try Sample.project(["order.proto": first, "my query.proto": second])
        let state = FolderState(files: Sample.written(before))
        #expect(
            MethodChanges(project: project, state: state).lines.last
                == "new input Protos/my query.proto: add -i 'Protos/my query.proto' to the command "
                + "of `generate` in the Makefile")
    }

    @Test("Reports the test clients of the layout with a program for each method")
    func oldLayout() throws {
        let record = """
            // Methods at the time of generation:
            //   rpc S.first(A) returns (A)
            //     interface First, test client test_first_client
            """
        let state = FolderState(files: ["Sources/Order/service/SServiceImpl.swift": record])
        let project = try Sample.project(proto(first), old: state.methods)
        #expect(project.services.map(\.testClient) == ["test_s_client"])
        let lines = MethodChanges(project: project, state: state).lines
        #expect(lines.first?.hasPrefix("each service has one test client now") == true)
    }

    @Test("Reports that a new service must be added to main.swift")
    func newService() throws {
        let new = proto(first) + " service T { rpc third(A) returns (A); }"
        let lines = try changes(from: proto(first), to: new)
        #expect(
            lines.last
                == "new service T: serve TServiceImpl(resources) in Sources/order/main.swift")
    }
}
