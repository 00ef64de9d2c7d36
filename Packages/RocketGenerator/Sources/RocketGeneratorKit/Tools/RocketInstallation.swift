import FoundationEssentials
import RocketProgram

/// Finds Rocket's packages for a project.
struct RocketInstallation {
    private let requested: String?
    private let tools: ToolFinder

    init(_ requested: String?, tools: ToolFinder) {
        self.requested = requested
        self.tools = tools
    }

    /// Returns the source that `--rocket` names, or by default that which an existing project has,
    /// the repository in which the running program was built, or the sources that were installed
    /// with it.
    ///
    /// - Parameter manifest: the Package.swift of an existing project.
    func source(manifest: String?) throws(GeneratorFailure) -> RocketSource {
        guard let requested else {
            if let manifest, let source = RocketSource(manifest: manifest) { return source }
            return try byDefault()
        }
        let source = try RocketSource(requested, absolute: AbsolutePath.resolved)
        if case .folder(let path) = source, !isRocket(path) {
            throw GeneratorFailure(
                "--rocket \(requested): that folder has no Packages/RocketRPC", status: .noInput)
        }
        return source
    }

    private func byDefault() throws(GeneratorFailure) -> RocketSource {
        for folder in tools.rocketFolders where isRocket(folder) { return .folder(folder) }
        throw GeneratorFailure(
            "Rocket was not found: use --rocket with the path of its repository, or with a git URL",
            status: .unavailable)
    }

    private func isRocket(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(path)/Packages/RocketRPC/Package.swift")
    }
}

/// Paths as the system sees them.
enum AbsolutePath {
    /// Returns the absolute path without symbolic links; the last parts need not exist.
    static func resolved(_ path: String) -> String {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        guard !FileManager.default.fileExists(atPath: url.path), url.path != "/" else {
            return url.resolvingSymlinksInPath().path
        }
        let parent = resolved(url.deletingLastPathComponent().path)
        return parent == "/" ? "/\(url.lastPathComponent)" : "\(parent)/\(url.lastPathComponent)"
    }
}
