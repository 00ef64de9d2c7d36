public import RocketBase

/// A program's configuration, read with what is wrong told in one line.
public enum ConfigurationFile {
    /// Reads the file and the environment.
    ///
    /// - Throws: `ProgramFailure` with the first thing that is wrong, and how many more are.
    public static func read(
        _ path: String, sections: [any ConfigSection.Type] = []
    ) throws(ProgramFailure) -> RocketConfig {
        do {
            return try RocketConfig(contentsOf: path, sections: sections)
        } catch {
            let errors = error.issues.filter { $0.severity == .error }
            guard let first = errors.first else { throw ProgramFailure(error.description) }
            let more = errors.dropFirst().map { "; also \($0.description)" }.joined()
            throw ProgramFailure(first.description + more)
        }
    }
}
