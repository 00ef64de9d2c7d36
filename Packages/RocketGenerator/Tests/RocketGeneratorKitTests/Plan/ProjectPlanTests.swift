import RocketGeneratorPlugin
import Testing

@testable import RocketGeneratorKit

/// One test for each thing that may become of a file.
@Suite("A plan for a project's folder")
struct ProjectPlanTests {
    private func action(
        _ file: ProjectFile, over old: String?, others: [String: String] = [:], force: Bool = false
    ) -> PlanStep.Action? {
        var files = others
        files[file.path] = old
        return ProjectPlan(files: [file], state: FolderState(files: files), force: force)
            .steps.first?.action
    }

    private let generated = ProjectFile(
        path: "a.swift", text: ContentHash.sealed("new\n"), ownership: .generated)
    private let yours = ProjectFile(path: "a.swift", text: "new\n", ownership: .yours)
    private let copy = ProjectFile(path: "Protos/a.proto", text: "new\n", ownership: .copy)

    @Test("a file that is not there is created", arguments: [false, true])
    func creates(force: Bool) {
        #expect(action(generated, over: nil, force: force) == .create)
        #expect(action(yours, over: nil, force: force) == .create)
        #expect(action(copy, over: nil, force: force) == .create)
    }

    @Test("an equal file is left")
    func leavesEqual() {
        #expect(action(generated, over: generated.text) == .leaveEqual)
        #expect(action(yours, over: yours.text, force: true) == .leaveEqual)
    }

    @Test("a generated file that nobody changed is renewed")
    func renews() {
        #expect(action(generated, over: ContentHash.sealed("old\n")) == .renew)
        // As another tool writes it, without a seal.
        #expect(action(generated, over: "new\n") == .renew)
    }

    @Test("a generated file that somebody changed is kept and renewed")
    func keeps() {
        let edited = ContentHash.sealed("old\n") + "mine\n"
        #expect(action(generated, over: edited) == .keepAndRenew("a.swift.mine"))
        #expect(
            action(generated, over: edited, others: ["a.swift.mine": "", "a.swift.mine2": ""])
                == .keepAndRenew("a.swift.mine3"))
        let state = FolderState(files: ["a.swift": edited])
        #expect(
            ProjectPlan(files: [generated], state: state).warnings == [
                "a.swift was changed by hand: kept as a.swift.mine"
            ])
    }

    @Test("yours is left, and with force kept and written anew")
    func leavesYours() {
        #expect(action(yours, over: "mine\n") == .leaveYours)
        #expect(action(yours, over: "mine\n", force: true) == .keepAndRenew("a.swift.mine"))
    }

    @Test("a copied .proto file is renewed unless somebody changed the copy")
    func copies() {
        let record = ProtoRecord(path: "a.proto", hash: ContentHash.hash("old\n"))
        let pb = ["a.pb.swift": ContentHash.sealed(record.line + "\n")]
        #expect(action(copy, over: "old\n", others: pb) == .renew)
        #expect(action(copy, over: "mine\n", others: pb) == .keepAndRenew("Protos/a.proto.mine"))
    }

    @Test("of a shared file the marked part is renewed, and kept where somebody changed it")
    func renewsBlocks() throws {
        let two = try Sample.project(
            Sample.order.replacing("}\n}", with: "}\n}").replacing(
                "service Order {",
                with: "service Order { rpc find(makeOrderRequest) returns "
                    + "(makeOrderResponse);"))
        let old = ManifestTemplate(project: try Sample.project(Sample.order)).lines.text
        let manifest = ProjectFile(
            path: "Package.swift", text: ManifestTemplate(project: two).lines.text,
            ownership: .shared)
        let mine = old.replacing("name: \"order\",", with: "name: \"mine\",")
        let state = FolderState(files: ["Package.swift": mine])
        let step = try #require(ProjectPlan(files: [manifest], state: state).steps.first)
        #expect(step.action == .renew)
        #expect(step.text.contains("name: \"mine\","))
        #expect(step.text.contains("\"test_find_client\","))
        #expect(
            action(manifest, over: old.replacing("[\"test_make", with: "[\"x\", \"test_make"))
                == .keepAndRenew("Package.swift.mine"))
    }

    @Test("a shared file without its marks is left, and the person is told")
    func lostMarks() throws {
        let manifest = ProjectFile(
            path: "Package.swift",
            text: ManifestTemplate(project: try Sample.project(Sample.order)).lines.text,
            ownership: .shared)
        let plan = ProjectPlan(
            files: [manifest], state: FolderState(files: ["Package.swift": "mine\n"]))
        #expect(plan.steps.map(\.action) == [.leaveEqual])
        #expect(plan.warnings.first?.contains("lost its marks") == true)
    }

    @Test("what was generated for a service that is gone is removed, and kept if it was changed")
    func removesGenerated() throws {
        let files = Sample.files(try Sample.project(Sample.order))
        let path = "Sources/Order/service/OrderServiceImpl.swift"
        let rest = files.filter { $0.path != path }
        var written = Sample.written(files).filter { $0.key.hasPrefix("Sources/Order/service") }
        let gone = ProjectPlan(files: rest, state: FolderState(files: written)).steps.last
        #expect(gone?.path == path && gone?.action == .remove)
        written[path]?.append("mine\n")
        let plan = ProjectPlan(files: rest, state: FolderState(files: written))
        #expect(plan.steps.last?.action == .keepAndRemove("\(path).mine"))
        #expect(plan.warnings == ["\(path) was changed by hand: kept as \(path).mine"])
    }

    @Test("a file of yours among the generated ones is left")
    func leavesStrangers() {
        let plan = ProjectPlan(files: [], state: FolderState(files: ["pb/mine.swift": "mine\n"]))
        #expect(plan.steps.isEmpty)
    }

    @Test("nothing is written into a project that is as it should be")
    func idempotent() throws {
        let files = Sample.files(try Sample.project(Sample.order))
        let plan = ProjectPlan(files: files, state: FolderState(files: Sample.written(files)))
        #expect(plan.steps.allSatisfy { $0.action == .leaveEqual })
        #expect(plan.warnings.isEmpty)
    }
}
