import Foundation

/// Finds and runs the programs under test.
public enum Programs {
    /// The root of the repository.
    public static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// `ROCKET_BIN`, or the repository's `bin`.
    public static let folder =
        ProcessInfo.processInfo.environment["ROCKET_BIN"] ?? repository + "/bin"

    /// Returns the path of a program.
    public static func path(_ name: String) -> String { folder + "/" + name }

    /// Runs a program and waits for its exit.
    public static func run(
        _ name: String, _ arguments: [String], in folder: String? = nil,
        environment: [String: String] = [:]
    ) throws -> ProcessResult {
        try ChildProcess(path(name), arguments, in: folder, environment: environment).finish()
    }
}
