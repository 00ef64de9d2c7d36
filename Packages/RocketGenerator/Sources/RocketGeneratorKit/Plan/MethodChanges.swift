import RocketGeneratorPlugin

/// Changes of a project's methods since the previous run.
struct MethodChanges {
    private let project: ProjectModel
    private let state: FolderState
    private var old: [MethodRecord.Entry] { state.methods }

    /// - Parameter state: the folder before the run.
    init(project: ProjectModel, state: FolderState) {
        self.project = project
        self.state = state
    }

    /// One line per change: added, changed, moved and removed methods, then added services and files.
    var lines: [String] {
        guard !old.isEmpty else { return [] }
        return added + changed + moved + removed + addedServices + addedInputs + removedClients
    }

    private var entries: [MethodRecord.Entry] {
        project.services.flatMap { MethodRecord($0.methods).entries }
    }

    private var added: [String] {
        entries.filter { new in !old.contains { $0.fullName == new.fullName } }.map {
            "new method \($0.fullName)\($0.signature): \(files(of: $0))"
        }
    }

    private var changed: [String] {
        entries.compactMap { new in
            guard let before = old.first(where: { $0.fullName == new.fullName }),
                before.signature != new.signature
            else { return nil }
            let hint =
                before.kind == new.kind
                ? "" : "; --diff --force-user-files shows what they look like now"
            return "\(new.fullName) was \(before.signature) and is \(new.signature): change "
                + files(of: before) + hint
        }
    }

    /// Methods whose interface has a new name, because a message has the old one now.
    private var moved: [String] {
        entries.compactMap { new in
            guard let before = old.first(where: { $0.fullName == new.fullName }),
                before.interface != new.interface
            else { return nil }
            return
                "the interface of \(new.fullName) is now \(new.interface), since a message has the "
                + "name \(before.interface): move your code from \(files(of: before)) to "
                + files(of: new)
        }
    }

    private var removed: [String] {
        old.filter { before in !entries.contains { $0.fullName == before.fullName } }.map {
            "\($0.fullName) is gone, its files are yours to delete: \(files(of: $0))"
        }
    }

    /// Services that the user has to add to main.swift, which is not written again.
    private var addedServices: [String] {
        project.services.filter { !state.services.contains($0.model.fullName) }.map {
            "new service \($0.model.fullName): serve \($0.implementation)(resources) in "
                + "Sources/\(project.name.program)/main.swift"
        }
    }

    /// .proto files that the user has to add to the Makefile, which is not written again.
    private var addedInputs: [String] {
        guard !state.inputs.isEmpty else { return [] }
        let new = project.services.map(\.protoPath)
        return project.protoPaths.filter { new.contains($0) && !state.inputs.contains($0) }.map {
            "new input Protos/\($0): add -i \(BuildTemplates.word("Protos/\($0)")) to the command of "
                + "`generate` in the Makefile"
        }
    }

    /// Programs of the layout that had one for each method.
    private var removedClients: [String] {
        guard old.contains(where: \.testClient.isEmpty) else { return [] }
        return [
            "each service has one test client now: the files in test_client are yours to delete, and "
                + "the path of the test clients in Package.swift is test_client/\\(name)"
        ]
    }

    private func files(of entry: MethodRecord.Entry) -> String {
        [
            "Sources/\(project.name.module)/interface/\(entry.interface).swift",
            "Tests/\(project.name.module)Tests/\(entry.interface)Tests.swift",
        ].joined(separator: ", ")
    }
}
