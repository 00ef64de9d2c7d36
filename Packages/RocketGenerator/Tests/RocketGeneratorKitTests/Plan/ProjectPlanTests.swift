import RocketGeneratorPlugin
import Testing

@testable import RocketGeneratorKit

/// One test for each action of a plan.
@Suite("Plan for a project's folder")
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
        path: "a.swift", text: ContentHash.mark("new\n"), ownership: .generated)
    private let userFile = ProjectFile(path: "a.swift", text: "new\n", ownership: .user)
    private let copy = ProjectFile(path: "Protos/a.proto", text: "new\n", ownership: .copy)

    @Test("Creates a missing file", arguments: [false, true])
    func creates(force: Bool) {
        #expect(action(generated, over: nil, force: force) == .create)
        #expect(action(userFile, over: nil, force: force) == .create)
        #expect(action(copy, over: nil, force: force) == .create)
    }

    @Test("Leaves an equal file")
    func leavesEqual() {
        #expect(action(generated, over: generated.text) == .leaveEqual)
        #expect(action(userFile, over: userFile.text, force: true) == .leaveEqual)
    }

    @Test("Writes an unedited generated file again")
    func renews() {
        #expect(action(generated, over: ContentHash.mark("old\n")) == .renew)
        // Another tool writes the same text without a hash.
        #expect(action(generated, over: "new\n") == .renew)
    }

    @Test("Keeps an edited generated file and writes it again")
    func keeps() {
        let edited = ContentHash.mark("old\n") + "mine\n"
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

    @Test("Leaves a user's file; with force, keeps it and writes it again")
    func leavesUserFiles() {
        #expect(action(userFile, over: "mine\n") == .leaveUserFile)
        #expect(action(userFile, over: "mine\n", force: true) == .keepAndRenew("a.swift.mine"))
    }

    @Test("Copies a .proto file again and keeps an edited copy")
    func copies() {
        let record = ProtoRecord(path: "a.proto", hash: ContentHash.of("old\n"))
        let pb = ["a.pb.swift": ContentHash.mark(record.line + "\n")]
        #expect(action(copy, over: "old\n", others: pb) == .renew)
        #expect(action(copy, over: "mine\n", others: pb) == .keepAndRenew("Protos/a.proto.mine"))
    }

    @Test("Writes the block of a shared file again and keeps an edited one")
    func renewsBlocks() throws {
        let two = try Sample.project(
            Sample.order + "service Search { rpc find(makeOrderRequest) returns "
                + "(makeOrderResponse); }")
        let old = ManifestTemplate(project: try Sample.project(Sample.order)).lines.text
        let manifest = ProjectFile(
            path: "Package.swift", text: ManifestTemplate(project: two).lines.text,
            ownership: .shared)
        let mine = old.replacing("name: \"order\",", with: "name: \"mine\",")
        let state = FolderState(files: ["Package.swift": mine])
        let step = try #require(ProjectPlan(files: [manifest], state: state).steps.first)
        #expect(step.action == .renew)
        #expect(step.text.contains("name: \"mine\","))
        #expect(step.text.contains("\"test_search_client\","))
        #expect(
            action(manifest, over: old.replacing("[\"test_order", with: "[\"x\", \"test_make"))
                == .keepAndRenew("Package.swift.mine"))
    }

    @Test("Leaves a shared file without marks and warns")
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

    @Test("Removes the generated files of a removed service and keeps edited ones")
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

    @Test("Leaves a user's file in a folder of generated ones")
    func leavesOtherFiles() {
        let plan = ProjectPlan(files: [], state: FolderState(files: ["pb/mine.swift": "mine\n"]))
        #expect(plan.steps.isEmpty)
    }

    @Test("Writes nothing into an unchanged project")
    func idempotent() throws {
        let files = Sample.files(try Sample.project(Sample.order))
        let plan = ProjectPlan(files: files, state: FolderState(files: Sample.written(files)))
        #expect(plan.steps.allSatisfy { $0.action == .leaveEqual })
        #expect(plan.warnings.isEmpty)
    }

    @Test("Writes nothing into an unchanged project whose line ends became CR LF")
    func idempotentWithCRLF() throws {
        let files = Sample.files(try Sample.project(Sample.order), proto: "one\ntwo\n")
        let disk = Sample.withCRLF(Sample.written(files))
        let plan = ProjectPlan(files: files, state: FolderState(files: disk))
        #expect(plan.steps.allSatisfy { !$0.writes })
        #expect(plan.warnings.isEmpty)
    }

    @Test("Renews a project whose line ends became CR LF, and keeps them")
    func renewsWithCRLF() throws {
        let old = Sample.files(try Sample.project(Sample.order), proto: "one\ntwo\n")
        let disk = Sample.withCRLF(Sample.written(old))
        let more =
            Sample.order + "service T { rpc b(makeOrderRequest) returns (makeOrderResponse); }"
        let state = FolderState(files: disk)
        let project = try Sample.project(more, old: state.methods)
        let plan = ProjectPlan(files: Sample.files(project, proto: "one\nmore\n"), state: state)
        #expect(plan.warnings.isEmpty)
        let renewed = plan.steps.filter { $0.action == .renew }
        #expect(
            renewed.map(\.path) == [
                "Protos/order.proto", "Sources/Order/pb/order.pb.swift", "Package.swift",
            ])
        for step in renewed {
            #expect(step.text == LineEnds.crlf.applied(to: step.text), "\(step.path)")
        }
    }
}
