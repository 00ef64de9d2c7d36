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
        /// The environment variable that overrides the file; empty when there is none.
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
    /// The sections inside of this one.
    public let elements: [ConfigDescription]

    /// Describes the section of an application.
    public init<Section: ConfigSection>(_ section: Section.Type) {
        self.init(section, at: .section(section.schema.name))
    }

    init<Section: ConfigSection>(_ section: Section.Type, at place: ConfigPlace) {
        path = place.entry
        summary = section.schema.summary
        type = String(describing: section)
        fields = section.schema.fields.map { field in
            Field(
                name: field.name, property: field.property, summary: field.summary,
                unit: field.unit, allowed: field.allowed, defaultText: field.text(Section()),
                variable: field.name == place.fixed
                    ? ""
                    : place.variables.map { ConfigSchema<Section>.variable($0, field.name) } ?? "",
                change: field.change)
        }
        elements = section.schema.elements.map { $0.describe(place) }
    }

    /// The section, and those inside of it, with theirs.
    public var flattened: [ConfigDescription] { [self] + elements.flatMap(\.flattened) }

    /// The sections of the framework, in the order of the reference file.
    public static var framework: [ConfigDescription] {
        [
            Self(LogConfig.self), Self(ServerConfig.self), Self(AdminConfig.self),
            Self(
                StubConfig.self,
                at: ConfigPlace(
                    file: "root/stubs/rpc_server", entry: "stubs/rpc_server",
                    variables: "stubs_NAME", fixed: "name")),
            Self(TraceConfig.self),
        ]
    }
}
