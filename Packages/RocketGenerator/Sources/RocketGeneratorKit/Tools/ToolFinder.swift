import Foundation

/// Finds the programs that do a part of the work.
struct ToolFinder: Sendable {
    private let environment: [String: String]
    private let ownFolder: String

    /// - Parameters:
    ///   - environment: by default the process's own.
    ///   - ownFolder: where the running program lies.
    init(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        ownFolder: String = Self.ownFolder
    ) {
        self.environment = environment
        self.ownFolder = ownFolder
    }

    /// The folder of the running program, symbolic links followed.
    static var ownFolder: String {
        let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: path ?? ".").deletingLastPathComponent().path
    }

    /// protoc: what the environment's PROTOC names, or the first one in PATH.
    func protoc() throws(GeneratorFailure) -> String {
        if let named = environment["PROTOC"], !named.isEmpty {
            if let path = named.contains("/") ? executable(named) : inPath(named) { return path }
            throw GeneratorFailure("PROTOC names '\(named)', which is no program")
        }
        if let path = inPath("protoc") { return path }
        throw GeneratorFailure(
            "protoc, the protobuf compiler, is not installed: apt-get install protobuf-compiler, "
                + "or name it in PROTOC")
    }

    /// protoc-gen-swift: beside the running program, in ../lib/rocket, or in PATH.
    func swiftPlugin() throws(GeneratorFailure) -> String {
        let name = "protoc-gen-swift"
        let places = [ownFolder, "\(ownFolder)/../lib/rocket"].map { "\($0)/\(name)" }
        for place in places { if let path = executable(place) { return path } }
        if let path = inPath(name) { return path }
        throw GeneratorFailure(
            "\(name) is neither beside rocket_generator nor in PATH: run make all in Rocket's "
                + "repository, or install the package rocket")
    }

    /// Where Rocket may be: `bin/` lies in its repository; installed it is in ../share/rocket.
    var rocketPlaces: [String] {
        ["\(ownFolder)/..", "\(ownFolder)/../share/rocket"].map {
            URL(fileURLWithPath: $0).standardizedFileURL.path
        }
    }

    private func inPath(_ name: String) -> String? {
        let folders = (environment["PATH"] ?? "").split(separator: ":")
        return folders.lazy.compactMap { executable("\($0)/\(name)") }.first
    }

    private func executable(_ path: String) -> String? {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let isProgram = exists && !isFolder.boolValue
        return isProgram && FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }
}
