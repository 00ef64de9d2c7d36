import Foundation

/// The installed protobuf compiler.
struct Protoc {
    private let url: URL

    /// Finds the executable that PROTOC names, or the first protoc in PATH.
    static func installed() throws -> Protoc {
        let environment = ProcessInfo.processInfo.environment
        let named = environment["PROTOC"] ?? ""
        let folders = (environment["PATH"] ?? "").split(separator: ":")
        let paths = named.isEmpty ? folders.map { "\($0)/protoc" } : [named]
        guard let path = paths.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw GenerateFailure(
                "protoc, the protobuf compiler, is not installed: "
                    + "apt-get install protobuf-compiler, or set PROTOC to its path")
        }
        return Protoc(url: URL(fileURLWithPath: path))
    }

    /// Runs protoc, which prints its errors on standard error.
    func run(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw GenerateFailure("protoc rejects the .proto files; nothing was written")
        }
    }
}
