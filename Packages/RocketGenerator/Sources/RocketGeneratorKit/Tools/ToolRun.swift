import Foundation

/// A program that was run to its end.
struct ToolRun {
    let status: Int32
    /// What it wrote to standard error, line by line.
    let complaints: [String]

    /// Runs it. What it prints on standard output is dropped.
    init(_ program: String, _ arguments: [String]) throws(GeneratorFailure) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        do { try process.run() } catch {
            throw GeneratorFailure("\(program) can't be run: \(error)")
        }
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        status = process.terminationStatus
        complaints = String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
