public import RocketSystem

extension RocketConfig {
    /// Reads a configuration file, then the environment (`ROCKET_SERVER_PORT=…`), which wins.
    /// Blocks on the file; call it from `main` or on reload, never on a loop.
    ///
    /// - Parameters:
    ///   - path: the XML file; relative paths in it are relative to its folder.
    ///   - sections: the application's own sections; an undeclared one is a warning.
    ///   - environment: what overrides the file.
    /// - Throws: `ConfigError`, which holds everything that is wrong, not only the first.
    public init(
        contentsOf path: String, sections: [any ConfigSection.Type] = [],
        environment: [String: String] = ProcessEnvironment.current
    ) throws(ConfigError) {
        let bytes: [UInt8]
        do {
            bytes = try FileContents.read(path, limit: XMLLimits.bytes)
        } catch {
            throw ConfigError(
                file: path,
                issues: [
                    ConfigIssue(
                        severity: .error, place: .file(path, line: 0, column: 0), path: "",
                        message: "can't be read: \(error)")
                ])
        }
        try self.init(xml: bytes, file: path, sections: sections, environment: environment)
    }

    /// The same from bytes in memory; `file` is named in messages, and its folder is the one
    /// that relative paths are relative to.
    public init(
        xml: [UInt8], file: String, sections: [any ConfigSection.Type] = [],
        environment: [String: String] = [:]
    ) throws(ConfigError) {
        var reader = ConfigReader(file: file, environment: environment)
        self = reader.config(from: xml, sections: sections)
        if reader.issues.contains(where: { $0.severity == .error }) {
            throw ConfigError(file: file, issues: reader.issues)
        }
        warnings = reader.issues
    }
}
