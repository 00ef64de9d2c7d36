import FoundationEssentials
import RocketProgram
import RocketSystem

/// Result of a program that was run to its end.
struct ToolRun {
    let status: Int32
    /// Lines of its standard error.
    let errors: [String]

    /// Runs the program and discards its standard output.
    init(_ program: String, _ arguments: [String]) throws(GeneratorFailure) {
        do {
            let process = try ChildProcess.run(program, arguments)
            status = process.status
            errors = String(decoding: process.errors, as: UTF8.self)
                .split(separator: "\n").map(String.init)
        } catch {
            throw GeneratorFailure(
                "\(program) can't be run: \(error.errno)", status: .unavailable)
        }
    }
}

/// A new folder that is deleted when the last reference to this object is released.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws(GeneratorFailure) {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("rocket_generator-\(UUID().uuidString)").path
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        } catch {
            throw GeneratorFailure("\(path) can't be created: \(error)", status: .cannotCreate)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
