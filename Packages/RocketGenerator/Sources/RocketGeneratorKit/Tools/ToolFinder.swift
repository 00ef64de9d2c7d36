import FoundationEssentials
import RocketProgram

/// Finds the external programs that the generator runs, and Rocket's repository.
struct ToolFinder: Sendable {
    private let environment: [String: String]
    private let programFolder: String

    /// - Parameters:
    ///   - environment: default: the environment of this process.
    ///   - programFolder: the folder of the running program.
    init(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        programFolder: String = Self.programFolder
    ) {
        self.environment = environment
        self.programFolder = programFolder
    }

    /// The folder of the running program, with symbolic links resolved.
    static var programFolder: String {
        let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: path ?? ".").deletingLastPathComponent().path
    }

    /// Returns the path of protoc: the program that the variable PROTOC names, or the first in PATH.
    func protoc() throws(GeneratorFailure) -> String {
        if let named = environment["PROTOC"], !named.isEmpty {
            if let path = named.contains("/") ? executable(named) : inPath(named) { return path }
            throw GeneratorFailure(
                "PROTOC is '\(named)', which is not an executable program", status: .unavailable)
        }
        if let path = inPath("protoc") { return path }
        throw GeneratorFailure(
            "protoc, the protobuf compiler, is not installed: apt-get install protobuf-compiler, "
                + "or set PROTOC to its path", status: .unavailable)
    }

    /// Returns the path of protoc-gen-swift: in the folder of the running program, in ../lib/rocket,
    /// or in PATH.
    func swiftPlugin() throws(GeneratorFailure) -> String {
        let name = "protoc-gen-swift"
        let folders = [programFolder, "\(programFolder)/../lib/rocket"].map { "\($0)/\(name)" }
        for file in folders { if let path = executable(file) { return path } }
        if let path = inPath(name) { return path }
        throw GeneratorFailure(
            "\(name) is neither in the folder of rocket_generator nor in PATH: run make all in "
                + "Rocket's repository, or install the package rocket", status: .unavailable)
    }

    /// Folders that can contain Rocket: the repository if the program is in its `bin/`, or
    /// ../share/rocket if it is installed.
    var rocketFolders: [String] {
        ["\(programFolder)/..", "\(programFolder)/../share/rocket"].map {
            URL(fileURLWithPath: $0).standardizedFileURL.path
        }
    }

    private func inPath(_ name: String) -> String? {
        let folders = (environment["PATH"] ?? "").split(separator: ":")
        return folders.lazy.compactMap { executable("\($0)/\(name)") }.first
    }

    private func executable(_ path: String) -> String? {
        var isFolder = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let isProgram = exists && !isFolder
        return isProgram && FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }
}
