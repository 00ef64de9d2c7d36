import Foundation

/// Where the project to be written takes Rocket from.
struct RocketInstallation {
    private let wanted: String?
    private let tools: ToolFinder

    init(_ wanted: String?, tools: ToolFinder) {
        self.wanted = wanted
        self.tools = tools
    }

    /// What was asked for; without, the repository that the running program was built in, or the
    /// sources that were installed with it.
    func source() throws(GeneratorFailure) -> RocketSource {
        guard let wanted else { return try byDefault() }
        let source = try RocketSource(wanted) {
            URL(fileURLWithPath: $0).standardizedFileURL.path
        }
        if case .folder(let path) = source, !isRocket(path) {
            throw GeneratorFailure(
                "--rocket \(wanted): there is no Packages/RocketRPC in that folder")
        }
        return source
    }

    private func byDefault() throws(GeneratorFailure) -> RocketSource {
        for place in tools.rocketPlaces where isRocket(place) { return .folder(place) }
        throw GeneratorFailure(
            "say with --rocket where Rocket is: a folder with its repository, or a git URL")
    }

    private func isRocket(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(path)/Packages/RocketRPC/Package.swift")
    }
}
