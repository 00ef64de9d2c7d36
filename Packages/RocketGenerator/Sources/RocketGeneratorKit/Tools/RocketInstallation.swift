import Foundation

/// Finds Rocket's packages for a new project.
struct RocketInstallation {
    private let requested: String?
    private let tools: ToolFinder

    init(_ requested: String?, tools: ToolFinder) {
        self.requested = requested
        self.tools = tools
    }

    /// Returns the source that `--rocket` names, or by default the repository in which the running
    /// program was built, or the sources that were installed with it.
    func source() throws(GeneratorFailure) -> RocketSource {
        guard let requested else { return try byDefault() }
        let source = try RocketSource(requested) {
            URL(fileURLWithPath: $0).standardizedFileURL.path
        }
        if case .folder(let path) = source, !isRocket(path) {
            throw GeneratorFailure(
                "--rocket \(requested): that folder has no Packages/RocketRPC")
        }
        return source
    }

    private func byDefault() throws(GeneratorFailure) -> RocketSource {
        for folder in tools.rocketFolders where isRocket(folder) { return .folder(folder) }
        throw GeneratorFailure(
            "Rocket was not found: use --rocket with the path of its repository, or with a git URL")
    }

    private func isRocket(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(path)/Packages/RocketRPC/Package.swift")
    }
}
