/// The whole configuration of a process, a plain value: `main` reads it and hands it on.
///
/// In code: `RocketConfig()` has every default, and all may be set. From a file:
/// `RocketConfig(contentsOf:)`. It is never reached through a global.
public struct RocketConfig: Sendable {
    /// Where log lines go, and which.
    public var log = LogConfig()
    /// What the server listens on, and its limits.
    public var server = ServerConfig()
    /// The servers that this process calls, in the order of the file; names are unique.
    public var stubs: [StubConfig] = []

    /// What was odd in the file or the environment, but is no error: unknown names.
    public internal(set) var warnings: [ConfigIssue] = []
    /// The application's own sections, in the order in which they were declared.
    var sections: [any ConfigSection] = []
    /// Where the values came from, by `ConfigEntry.path`; what is missing is a default.
    var origins: [String: ConfigOrigin] = [:]

    /// Every field at its default, no stubs.
    public init() {}

    /// An application's own section: as read where it was declared at reading, else its defaults.
    public subscript<Section: ConfigSection>(_ type: Section.Type) -> Section {
        get { sections.lazy.compactMap { $0 as? Section }.first ?? Section() }
        set {
            if let index = sections.firstIndex(where: { $0 is Section }) {
                sections[index] = newValue
            } else {
                sections.append(newValue)
            }
        }
    }

    /// The stub of that name.
    ///
    /// - Throws: `UnknownStub`, which names the nearest one.
    public func stub(named name: String) throws(UnknownStub) -> StubConfig {
        if let stub = stubs.first(where: { $0.name == name }) { return stub }
        throw UnknownStub(name: name, known: stubs.map(\.name))
    }
}

/// One scalar of the effective configuration.
public struct ConfigEntry: Hashable, Sendable {
    /// `server/port`, `stubs/order/timeout`, `order_store/path`.
    public let path: String
    /// As it stands in a file; empty for an optional value that is missing.
    public let text: String
    /// The unit of a bare number, nil where it has none.
    public let unit: String?
    /// Where the value came from.
    public let origin: ConfigOrigin
    /// When a changed value takes effect.
    public let change: ConfigChange
}

extension RocketConfig {
    /// Every scalar with its value and where it came from, in the order of the reference file.
    public var entries: [ConfigEntry] {
        var entries = entries(of: log, at: "log") + self.entries(of: server, at: "server")
        for stub in stubs { entries += self.entries(of: stub, at: "stubs/\(stub.name)") }
        for section in sections { entries += self.entries(ofApplication: section) }
        return entries
    }

    /// The effective configuration for people to read (`--check-config`): one line each, its
    /// path, value and origin in columns.
    public var report: String {
        let rows = entries.map { entry in
            let unit = entry.unit.map { " \($0)" } ?? ""
            let value = entry.text.isEmpty ? "-" : entry.text + unit
            return (entry.path, value, entry.origin.description)
        }
        let pathWidth = rows.map(\.0.count).max() ?? 0
        let valueWidth = min(40, rows.map(\.1.count).max() ?? 0)
        let lines = rows.map {
            "\($0.0.padded(to: pathWidth))  \($0.1.padded(to: valueWidth))  \($0.2)"
        }
        return lines.joined(separator: "\n")
    }

    private func entries<Section: ConfigSection>(ofApplication section: Section) -> [ConfigEntry] {
        entries(of: section, at: Section.schema.name)
    }

    private func entries<Section: ConfigSection>(
        of section: Section, at path: String
    ) -> [ConfigEntry] {
        Section.schema.fields.map { field in
            let path = "\(path)/\(field.name)"
            return ConfigEntry(
                path: path, text: field.text(section), unit: field.unit,
                origin: origins[path] ?? .default, change: field.change)
        }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
