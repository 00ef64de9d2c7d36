/// One section of the configuration: a plain struct whose stored defaults are the defaults, and
/// a schema that says how each of them stands in the file. Applications add their own:
///
///     struct StoreConfig: ConfigSection {
///         var path = "var/orders.sqlite"
///         static let schema = ConfigSchema<Self>("order_store", "Where orders are kept.", [
///             .init("path", \.path, .path, .restart, "The database file.")
///         ])
///     }
///     let config = try RocketConfig(contentsOf: file, sections: [StoreConfig.self])
///     config[StoreConfig.self].path
public protocol ConfigSection: Sendable {
    /// Every field at its default.
    init()
    /// The element's name and fields.
    static var schema: ConfigSchema<Self> { get }
}

/// What a section looks like in the file, in the environment and in the documentation.
public struct ConfigSchema<Section: Sendable>: Sendable {
    /// The name of the section's element below `root`.
    public let name: String
    /// What the section is about: one or two sentences.
    public let summary: String
    /// In the order of the reference file.
    public let fields: [ConfigField<Section>]
    /// A rule between several fields: the broken rule in words, nil when it holds.
    let check: @Sendable (Section) -> String?

    /// - Parameter check: judges fields against each other, after all are read.
    public init(
        _ name: String, _ summary: String, _ fields: [ConfigField<Section>],
        check: @escaping @Sendable (Section) -> String? = { _ in nil }
    ) {
        self.name = name
        self.summary = summary
        self.fields = fields
        self.check = check
    }

    /// The environment variable of a field: `ROCKET_SERVER_PORT`. Where the field's name repeats
    /// the section's, it is said once: `log/log_level` is `ROCKET_LOG_LEVEL`.
    static func variable(_ section: String, _ field: String) -> String {
        let repeats = field.hasPrefix(section + "_")
        let words = repeats ? field : "\(section)_\(field)"
        return "ROCKET_"
            + String(
                words.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }
}

/// When a changed value takes effect.
public enum ConfigChange: String, Hashable, Sendable {
    /// At the next reload, while the process runs.
    case live
    /// When the process starts again.
    case restart
}

/// One scalar of a section. Default and type are the stored property's own.
public struct ConfigField<Section: Sendable>: Sendable {
    /// The element's name.
    public let name: String
    /// When a changed value takes effect.
    public let change: ConfigChange
    /// What it means: full sentences, without default, unit and range.
    public let summary: String
    /// The unit of a bare number, nil where it has none.
    public let unit: String?
    /// What is allowed, in words.
    public let allowed: String
    /// The Swift property, as the documentation tool finds it in the source.
    let property: String
    /// Stores what the text stands for; false when it is not allowed.
    let read: @Sendable (String, inout Section) -> Bool
    let text: @Sendable (Section) -> String
    let resolve: @Sendable (inout Section, ConfigFolder) -> Void
    /// Takes this field's value over from another section.
    let copy: @Sendable (Section, inout Section) -> Void

    /// Declares the field of that element name, kept in that property.
    public init<Value: Sendable>(
        _ name: String, _ key: any WritableKeyPath<Section, Value> & Sendable,
        _ type: ConfigType<Value>, _ change: ConfigChange, _ summary: String
    ) {
        self.name = name
        self.change = change
        self.summary = summary
        unit = type.unit
        allowed = type.allowed
        property = String(describing: key).split(separator: ".").last.map(String.init) ?? ""
        read = { text, section in
            guard let value = type.parse(text) else { return false }
            section[keyPath: key] = value
            return true
        }
        text = { type.text($0[keyPath: key]) }
        resolve = { $0[keyPath: key] = type.resolve($0[keyPath: key], $1) }
        copy = { $1[keyPath: key] = $0[keyPath: key] }
    }
}
