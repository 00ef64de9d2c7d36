import Foundation

/// A project's folder on disk: what is there, and the hands that do what a plan says.
struct ProjectFolder {
    let path: String

    /// `output`/NAME; or `output` itself where that is the project already, whatever the folder
    /// is called by now.
    init(output: String, name: ProjectName) {
        let manifest = FileManager.default.contents(atPath: "\(output)/Package.swift")
        let text = String(decoding: manifest ?? Data(), as: UTF8.self)
        let place = "\(output)/Sources/\(name.module)/service"
        let isProject =
            GeneratedBlock.state(of: text) != .missing
            && FileManager.default.fileExists(atPath: place)
        path = isProject ? output : "\(output)/\(name.program)"
    }

    /// What is there.
    ///
    /// - Parameter module: the project's; its generated files are read.
    func state(module: String) -> FolderState {
        let names = ["pb", "service"].flatMap { folder in
            let place = "Sources/\(module)/\(folder)"
            let found = try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(place)")
            return (found ?? []).filter { $0.hasSuffix(".swift") }.map { "\(place)/\($0)" }
        }
        let texts = names.compactMap { name in text(name).map { (name, $0) } }
        return FolderState(
            generated: Dictionary(texts, uniquingKeysWith: { first, _ in first }), read: text)
    }

    /// A file's text; what is no UTF-8 comes as well as it can.
    private func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: "\(path)/\(name)").map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Does what the plan says. Each file appears whole or not at all, so a run that is
    /// interrupted leaves old files and new ones, and none that is half written.
    func perform(_ plan: ProjectPlan) throws(GeneratorFailure) {
        for step in plan.steps where step.writes {
            do { try perform(step) } catch {
                throw GeneratorFailure(
                    "\(path)/\(step.path) can't be written: \(Self.reason(error))")
            }
        }
    }

    /// What the system said, without Foundation's words around it.
    private static func reason(_ error: any Error) -> String {
        let cause = ((error as? CocoaError)?.underlying ?? error) as NSError
        guard cause.domain == NSPOSIXErrorDomain else { return cause.localizedDescription }
        return String(cString: strerror(Int32(cause.code)))
    }

    private func perform(_ step: PlanStep) throws {
        let (manager, place) = (FileManager.default, "\(path)/\(step.path)")
        switch step.action {
        case .keepAndRenew(let kept):
            // Byte for byte, whatever it holds.
            try manager.copyItem(atPath: place, toPath: "\(path)/\(kept)")
            try write(step)
        case .create, .renew: try write(step)
        case .keepAndRemove(let kept):
            try manager.moveItem(atPath: place, toPath: "\(path)/\(kept)")
        case .remove: try manager.removeItem(atPath: place)
        case .leaveEqual, .leaveYours: break
        }
    }

    /// Beside its place first, then moved into it.
    private func write(_ step: PlanStep) throws {
        let target = URL(fileURLWithPath: "\(path)/\(step.path)")
        let folder = target.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let mode = step.isExecutable ? 0o755 : 0o644
        let temporary = folder.appendingPathComponent(".\(target.lastPathComponent).new")
        try? FileManager.default.removeItem(at: temporary)
        let data = Data(step.text.utf8)
        guard
            FileManager.default.createFile(
                atPath: temporary.path, contents: data, attributes: [.posixPermissions: mode])
        else { throw CocoaError(.fileWriteUnknown) }
        do {
            guard rename(temporary.path, target.path) == 0 else {
                throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
            }
        } catch {
            try? FileManager.default.removeItem(at: temporary)
            throw error
        }
    }
}
