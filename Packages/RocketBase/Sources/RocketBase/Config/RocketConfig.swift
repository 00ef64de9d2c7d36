/// The configuration of a process: a value that `main` reads and passes on; there is no global one.
///
/// `RocketConfig()` has all defaults and can be changed in code, `RocketConfig(contentsOf:)` reads
/// a file.
public struct RocketConfig: Sendable {
    /// Levels and destinations of log lines.
    public var log = LogConfig()
    /// Addresses and limits of the server.
    public var server = ServerConfig()
    /// The page of the server.
    public var admin = AdminConfig()
    /// The servers that this process calls, in the order of the file, with unique names.
    public var stubs: [StubConfig] = []
    /// Traces of calls.
    public var trace = TraceConfig()

    /// Issues of the file or the environment that are not errors, such as unknown names.
    public internal(set) var warnings: [ConfigIssue] = []
    /// The sections of the application, in the order of their declaration.
    var sections: [any ConfigSection] = []
    /// The origins of the values by `ConfigEntry.path`; a value without an origin is a default.
    var origins: [String: ConfigOrigin] = [:]

    /// All fields have their defaults, and there are no stubs.
    public init() {}

    /// The section of an application: as read if it was declared when reading, otherwise with its
    /// defaults.
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

    /// Returns the stub with this name.
    ///
    /// - Throws: `UnknownStub`, whose description contains the most similar name.
    public func stub(named name: String) throws(UnknownStub) -> StubConfig {
        if let stub = stubs.first(where: { $0.name == name }) { return stub }
        throw UnknownStub(name: name, known: stubs.map(\.name))
    }
}

/// One value of the effective configuration.
public struct ConfigEntry: Hashable, Sendable {
    /// `server/port`, `stubs/order/timeout`, `order_store/path`.
    public let path: String
    /// The value as text of the file; empty when an optional value is missing.
    public let text: String
    /// The unit of a number; nil when it has none.
    public let unit: String?
    /// The origin of the value.
    public let origin: ConfigOrigin
    /// The time at which a changed value takes effect.
    public let change: ConfigChange
    /// The time at which it takes effect that the element with this value appears or vanishes.
    let presence: ConfigChange
}

extension RocketConfig {
    /// All values with their origins, in the order of the reference file.
    public var entries: [ConfigEntry] {
        var entries = entries(of: log, at: "log") + self.entries(of: server, at: "server")
        entries += self.entries(of: admin, at: "admin")
        for stub in stubs { entries += self.entries(of: stub, at: "stubs/\(stub.name)") }
        entries += self.entries(of: trace, at: "trace")
        for section in sections { entries += self.entries(ofApplication: section) }
        return entries
    }

    /// The effective configuration as text (`--check-config`): one line per value, with its path,
    /// its text and its origin in columns. If there is a table of `server/authorization`, who may
    /// call what follows.
    public var report: String {
        let rows = entries.map { entry in
            let unit = entry.unit.map { " \($0)" } ?? ""
            let text = PrintableText.escaping(entry.text, PrintableText.swiftEscape)
            let value = text.isEmpty ? "-" : text + unit
            return (entry.path, value, entry.origin.description)
        }
        let pathWidth = rows.map(\.0.count).max() ?? 0
        let valueWidth = min(40, rows.map(\.1.count).max() ?? 0)
        let lines = rows.map {
            "\($0.0.padded(to: pathWidth))  \($0.1.padded(to: valueWidth))  \($0.2)"
        }
        let policy = server.authorization.map { ["", $0.explanation()] } ?? []
        return (lines + policy).joined(separator: "\n")
    }

    private func entries<Section: ConfigSection>(ofApplication section: Section) -> [ConfigEntry] {
        entries(of: section, at: Section.schema.name)
    }

    /// - Parameter presence: that of the element that the section is in; nil: it is always there.
    func entries<Section: ConfigSection>(
        of section: Section, at path: String, presence: ConfigChange? = nil
    ) -> [ConfigEntry] {
        let fields = Section.schema.fields.map { field in
            let path = "\(path)/\(field.name)"
            return ConfigEntry(
                path: path, text: field.text(section), unit: field.unit,
                origin: origins[path] ?? .default, change: field.change,
                presence: presence ?? field.change)
        }
        return fields
            + Section.schema.elements.flatMap { $0.entries(self, section, path, presence) }
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
