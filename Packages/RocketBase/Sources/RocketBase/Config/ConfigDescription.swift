/// A section's schema as plain text, for documentation. Made from the schema alone, so that what
/// is documented is what is read.
public struct ConfigDescription: Sendable {
    /// One field.
    public struct Field: Sendable {
        /// The element's name.
        public let name: String
        /// The Swift property that holds the value.
        public let property: String
        /// What it means.
        public let summary: String
        /// The unit of a bare number, nil where it has none.
        public let unit: String?
        /// What is allowed, in words.
        public let allowed: String
        /// The default as it stands in a file; empty where there is none.
        public let defaultText: String
        /// The environment variable that overrides the file.
        public let variable: String
        /// When a changed value takes effect.
        public let change: ConfigChange

        /// `12345`, `500 ms`, `none`.
        public var defaultWords: String {
            if defaultText.isEmpty { return "none" }
            return unit.map { "\(defaultText) \($0)" } ?? defaultText
        }
    }

    /// The element's path below `root`: `server`, `stubs/rpc_server`.
    public let path: String
    /// What the section is about.
    public let summary: String
    /// The Swift type.
    public let type: String
    /// In the order of the reference file.
    public let fields: [Field]

    /// Describes a section of an application.
    public init<Section: ConfigSection>(_ section: Section.Type) {
        self.init(section, path: section.schema.name, prefix: section.schema.name)
    }

    private init<Section: ConfigSection>(_ section: Section.Type, path: String, prefix: String) {
        self.path = path
        summary = section.schema.summary
        type = String(describing: section)
        fields = section.schema.fields.map { field in
            Field(
                name: field.name, property: field.property, summary: field.summary,
                unit: field.unit, allowed: field.allowed, defaultText: field.text(Section()),
                variable: ConfigSchema<Section>.variable(prefix, field.name),
                change: field.change)
        }
    }

    /// The framework's own sections, in the order of the reference file.
    public static var framework: [ConfigDescription] {
        [
            Self(LogConfig.self), Self(ServerConfig.self),
            Self(StubConfig.self, path: "stubs/rpc_server", prefix: "stubs_NAME"),
        ]
    }
}
