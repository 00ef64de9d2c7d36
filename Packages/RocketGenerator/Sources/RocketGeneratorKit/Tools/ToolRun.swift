import Foundation
import RocketProgram

/// Result of a program that was run to its end.
struct ToolRun {
    let status: Int32
    /// Lines of its standard error.
    let errors: [String]

    /// Runs the program and discards its standard output.
    init(_ program: String, _ arguments: [String]) throws(GeneratorFailure) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardError = pipe
        do { try process.run() } catch {
            throw GeneratorFailure("\(program) can't be run: \(error)", status: .unavailable)
        }
        let text = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        status = process.terminationStatus
        errors = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
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
