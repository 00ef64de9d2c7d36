import Foundation

/// Where the programs under test are.
public enum Programs {
    /// The repository.
    public static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// `ROCKET_BIN`, or the repository's `bin`.
    public static let folder =
        ProcessInfo.processInfo.environment["ROCKET_BIN"] ?? repository + "/bin"

    /// The path of one of them.
    public static func path(_ name: String) -> String { folder + "/" + name }

    /// Runs one of them to its end.
    public static func run(
        _ name: String, _ arguments: [String], in folder: String? = nil,
        environment: [String: String] = [:]
    ) throws -> Ending {
        try ChildProcess(path(name), arguments, in: folder, environment: environment).finish()
    }
}
