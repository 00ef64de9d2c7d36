import Foundation

/// The installed protobuf compiler.
struct Protoc {
    private let url: URL

    /// Finds the executable that PROTOC names by its path or its name in PATH, or the first protoc in
    /// PATH.
    static func installed() throws -> Protoc {
        let environment = ProcessInfo.processInfo.environment
        let named = environment["PROTOC"] ?? ""
        let folders = (environment["PATH"] ?? "").split(separator: ":")
        let name = named.isEmpty ? "protoc" : named
        let paths = name.contains("/") ? [name] : folders.map { "\($0)/\(name)" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw GenerateFailure(
                named.isEmpty
                    ? "protoc, the protobuf compiler, is not installed: "
                        + "apt-get install protobuf-compiler, or set PROTOC to its path"
                    : "PROTOC is '\(named)', which is not an executable program; "
                        + "apt-get install protobuf-compiler installs one")
        }
        return Protoc(url: URL(fileURLWithPath: path))
    }

    /// Runs protoc, which prints its errors on standard error.
    ///
    /// - Parameter hint: what the user can do if it fails.
    func run(_ arguments: [String], hint: @autoclosure () -> String) throws {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw GenerateFailure("protoc rejects the .proto files; nothing was written\(hint())")
        }
    }
}
