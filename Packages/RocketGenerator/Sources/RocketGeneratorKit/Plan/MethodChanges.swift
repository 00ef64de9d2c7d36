import RocketGeneratorPlugin

/// Changes of a project's methods since the previous run.
struct MethodChanges {
    let project: ProjectModel
    let old: [MethodRecord.Entry]

    /// One line per change: added, changed, moved and removed methods, then added services.
    var lines: [String] { old.isEmpty ? [] : added + changed + moved + removed + addedServices }

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
            return "\(new.fullName) was \(before.signature) and is \(new.signature): change "
                + files(of: before)
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
        let names = Set(old.map { service(of: $0.fullName) })
        return project.services.filter { !names.contains($0.model.fullName) }.map {
            "new service \($0.model.fullName): serve \($0.implementation)(resources) in "
                + "Sources/\(project.name.program)/main.swift"
        }
    }

    private func service(of method: String) -> String {
        method.split(separator: ".").dropLast().joined(separator: ".")
    }

    private func files(of entry: MethodRecord.Entry) -> String {
        [
            "Sources/\(project.name.module)/interface/\(entry.interface).swift",
            "Tests/\(project.name.module)Tests/\(entry.interface)Tests.swift",
            "test_client/\(entry.testClient).swift",
        ].joined(separator: ", ")
    }
}
