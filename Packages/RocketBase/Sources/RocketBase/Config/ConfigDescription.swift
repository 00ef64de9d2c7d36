/// The schema of a section as plain text, for documentation. It is derived from the schema only, so
/// that the documentation agrees with the reader.
public struct ConfigDescription: Sendable {
    /// The description of one field.
    public struct Field: Sendable {
        /// The name of the element.
        public let name: String
        /// The Swift property that holds the value.
        public let property: String
        /// The meaning of the field.
        public let summary: String
        /// The unit of a number; nil when it has none.
        public let unit: String?
        /// A description of the allowed values.
        public let allowed: String
        /// The default as text of the file; empty when there is none.
        public let defaultText: String
        /// The environment variable that overrides the file.
        public let variable: String
        /// The time at which a changed value takes effect.
        public let change: ConfigChange

        /// `12345`, `500 ms`, `none`.
        public var defaultWithUnit: String {
            if defaultText.isEmpty { return "none" }
            return unit.map { "\(defaultText) \($0)" } ?? defaultText
        }
    }

    /// The path of the element below `root`: `server`, `stubs/rpc_server`.
    public let path: String
    /// The meaning of the section.
    public let summary: String
    /// The name of the Swift type.
    public let type: String
    /// The fields in the order of the reference file.
    public let fields: [Field]

    /// Describes the section of an application.
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

    /// The sections of the framework, in the order of the reference file.
    public static var framework: [ConfigDescription] {
        [
            Self(LogConfig.self), Self(ServerConfig.self),
            Self(StubConfig.self, path: "stubs/rpc_server", prefix: "stubs_NAME"),
        ]
    }
}
