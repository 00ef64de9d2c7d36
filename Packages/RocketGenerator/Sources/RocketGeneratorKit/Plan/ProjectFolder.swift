import FoundationEssentials
import RocketProgram
import RocketSystem

/// A project's folder on disk: reads its content and executes plans.
struct ProjectFolder {
    let path: String

    /// The folder is `output`/NAME, or `output` itself if that contains the project already: the user
    /// may have renamed the folder.
    init(output: String, name: ProjectName) {
        path = Self.nameOfProject(in: output) == name ? output : "\(output)/\(name.program)"
    }

    /// Returns the name of the project whose folder this is; nil if it is none.
    static func nameOfProject(in folder: String) -> ProjectName? {
        let manager = FileManager.default
        let manifest = manager.contents(atPath: "\(folder)/Package.swift")
        let text = String(decoding: manifest ?? Data(), as: UTF8.self)
        let sources = "\(folder)/Sources"
        guard GeneratedBlock.state(of: text) != .missing,
            let names = try? manager.contentsOfDirectory(atPath: sources)
        else { return nil }
        return names.sorted().lazy.compactMap { try? ProjectName($0) }.first { name in
            manager.fileExists(atPath: "\(sources)/\(name.module)/service")
        }
    }

    /// Whether the project contains this file, as its Protos/ contain its .proto files.
    func contains(_ file: String) -> Bool {
        AbsolutePath.resolved(file).hasPrefix(AbsolutePath.resolved(path) + "/")
    }

    /// Reads the content of the folder.
    ///
    /// - Parameter module: the project's module, whose generated files are read.
    func state(module: String) -> FolderState {
        let sources = ["pb", "service"].flatMap { folder in
            files(in: "Sources/\(module)/\(folder)").filter { $0.hasSuffix(".swift") }
        }
        let names = sources + files(in: "test_client").map { "\($0)/main.swift" }
        let texts = names.compactMap { name in text(name).map { (name, $0) } }
        return FolderState(
            generated: Dictionary(texts, uniquingKeysWith: { first, _ in first }), read: text)
    }

    private func files(in folder: String) -> [String] {
        let found = try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")
        return (found ?? []).map { "\(folder)/\($0)" }
    }

    /// Returns the text of a file; invalid UTF-8 is repaired.
    private func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: "\(path)/\(name)").map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Executes the plan. Each file is replaced atomically, so a run that is interrupted leaves old
    /// and new files, but no incomplete one.
    func perform(_ plan: ProjectPlan) throws(GeneratorFailure) {
        for step in plan.steps where step.writes {
            do { try perform(step) } catch {
                throw GeneratorFailure(
                    "\(path)/\(step.path) can't be written: \(error.errno.text)",
                    status: .cannotCreate)
            }
        }
    }

    private func perform(_ step: PlanStep) throws(SystemError) {
        let file = "\(path)/\(step.path)"
        switch step.action {
        case .keepAndRenew(let kept):
            // A copy of the bytes: the file may be no valid UTF-8.
            let bytes = try FileContents.read(file, limit: 1 << 30)
            try FileContents.write(bytes, to: "\(path)/\(kept)")
            try FileSystem.setMode("\(path)/\(kept)", mode(of: step))
            try write(step)
        case .create, .renew: try write(step)
        case .keepAndRemove(let kept): try FileSystem.rename(file, to: "\(path)/\(kept)")
        case .remove: try FileSystem.remove(file)
        case .leaveEqual, .leaveUserFile: break
        }
    }

    /// Writes to a temporary file in the same folder, then renames it.
    private func write(_ step: PlanStep) throws(SystemError) {
        let target = "\(path)/\(step.path)"
        let folder = FileSystem.folder(of: target)
        try FileSystem.makeFolder(folder, mode: 0o755)
        let temporary = "\(folder)/.\(FileSystem.name(of: target)).new"
        do {
            try FileSystem.remove(temporary)
            try FileContents.write(Array(step.text.utf8), to: temporary)
            try FileSystem.setMode(temporary, mode(of: step))
            try FileSystem.rename(temporary, to: target)
        } catch {
            try? FileSystem.remove(temporary)
            throw error
        }
    }

    private func mode(of step: PlanStep) -> UInt32 { step.isExecutable ? 0o755 : 0o644 }
}
