import RocketSystem

extension RocketConfig {
    /// Reads a configuration file, then the environment (`ROCKET_SERVER_PORT=…`), which overrides
    /// the file. Blocks on the file, so it must not be called on an event loop.
    ///
    /// - Parameters:
    ///   - path: the XML file; its relative paths are resolved against its folder.
    ///   - sections: the sections of the application; an undeclared one in the file is a warning.
    ///   - environment: variables that override the file; nil: those of the process. A variable of
    ///     the configuration that is not UTF-8 is an error.
    /// - Throws: `ConfigError` with all errors and warnings.
    public init(
        contentsOf path: String, sections: [any ConfigSection.Type] = [],
        environment: [String: String]? = nil
    ) throws(ConfigError) {
        let bytes: [UInt8]
        do {
            bytes = try FileContents.read(path, limit: XMLLimits.bytes)
        } catch {
            throw ConfigError(
                file: path,
                issues: [
                    ConfigIssue(
                        severity: .error, origin: .file(path, line: 0, column: 0), path: "",
                        message: "can't be read: \(error)")
                ])
        }
        let process = environment == nil ? ProcessEnvironment.read() : ProcessEnvironment()
        try self.init(
            xml: bytes, file: path, sections: sections,
            environment: environment ?? process.variables, malformed: process.malformed)
    }

    /// Reads a configuration from bytes in memory.
    ///
    /// - Parameters:
    ///   - xml: the contents of the XML file.
    ///   - file: the path of the file, for messages and for its relative paths.
    ///   - sections: the sections of the application; an undeclared one in the file is a warning.
    ///   - environment: variables that override the file.
    /// - Throws: `ConfigError` with all errors and warnings.
    public init(
        xml: [UInt8], file: String, sections: [any ConfigSection.Type] = [],
        environment: [String: String] = [:]
    ) throws(ConfigError) {
        try self.init(
            xml: xml, file: file, sections: sections, environment: environment, malformed: [:])
    }

    /// - Parameter malformed: variables that are not UTF-8, and the offset of their first such byte.
    init(
        xml: [UInt8], file: String, sections: [any ConfigSection.Type],
        environment: [String: String], malformed: [String: Int]
    ) throws(ConfigError) {
        var reader = ConfigReader(file: file, environment: environment, malformed: malformed)
        self = reader.config(from: xml, sections: sections)
        if reader.issues.contains(where: { $0.severity == .error }) {
            throw ConfigError(file: file, issues: reader.issues)
        }
        warnings = reader.issues
    }
}
