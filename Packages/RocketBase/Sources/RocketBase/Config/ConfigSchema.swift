/// A section of the configuration: a struct whose stored properties have the defaults, and a schema
/// that maps each of them to an element of the file. Applications declare their own sections:
///
///     struct StoreConfig: ConfigSection {
///         var path = "var/orders.sqlite"
///         static let schema = ConfigSchema<Self>("order_store", "Storage of orders.", [
///             .init("path", \.path, .path, .restart, "The database file.")
///         ])
///     }
///     let config = try RocketConfig(contentsOf: file, sections: [StoreConfig.self])
///     config[StoreConfig.self].path
public protocol ConfigSection: Sendable {
    /// Creates a section with all defaults.
    init()
    /// The name and the fields of the element.
    static var schema: ConfigSchema<Self> { get }
}

/// The name and the fields of a section in the file, the environment and the documentation.
public struct ConfigSchema<Section: Sendable>: Sendable {
    /// The name of the section's element below `root`.
    public let name: String
    /// The meaning of the section, in one or two sentences.
    public let summary: String
    /// The fields in the order of the reference file.
    public let fields: [ConfigField<Section>]
    /// The elements with fields of their own, after the fields.
    public let elements: [ConfigElement<Section>]
    /// Checks rules between fields; returns a description of the first broken rule, or nil.
    let check: @Sendable (Section) -> String?

    /// - Parameters:
    ///   - name: the name of the section's element below `root`.
    ///   - summary: the meaning of the section, in one or two sentences.
    ///   - fields: the fields in the order of the reference file.
    ///   - elements: the elements with fields of their own.
    ///   - check: checks rules between fields after all fields are read; returns a description of
    ///     the first broken rule, or nil.
    public init(
        _ name: String, _ summary: String, _ fields: [ConfigField<Section>],
        elements: [ConfigElement<Section>] = [],
        check: @escaping @Sendable (Section) -> String? = { _ in nil }
    ) {
        self.name = name
        self.summary = summary
        self.fields = fields
        self.elements = elements
        self.check = check
    }

    /// Returns the environment variable of a field: `ROCKET_SERVER_PORT`. When the field's name
    /// begins with the section's, the variable contains it once: `log/log_level` is
    /// `ROCKET_LOG_LEVEL`.
    static func variable(_ section: String, _ field: String) -> String {
        let isRepeated = field.hasPrefix(section + "_")
        let name = isRepeated ? field : "\(section)_\(field)"
        return "ROCKET_"
            + String(
                name.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }
}

/// The time at which a changed value takes effect.
public enum ConfigChange: String, Hashable, Sendable {
    /// At the next reload, while the process runs.
    case live
    /// At the next start of the process.
    case restart
}

/// A field of a section: one element with one value. Its default and its type are those of the
/// stored property.
public struct ConfigField<Section: Sendable>: Sendable {
    /// The name of the element.
    public let name: String
    /// The time at which a changed value takes effect.
    public let change: ConfigChange
    /// The meaning of the field in full sentences, without default, unit and range.
    public let summary: String
    /// The unit of a number; nil when it has none.
    public let unit: String?
    /// A description of the allowed values.
    public let allowed: String
    /// The name of the Swift property, by which the documentation tool finds it in the source.
    /// Computed on demand: to describe all key paths took a quarter of a server's start.
    var property: String { describeKey().split(separator: ".").last.map(String.init) ?? "" }
    private let describeKey: @Sendable () -> String
    /// Parses the text and stores the value; returns false when the text is not allowed.
    let read: @Sendable (String, inout Section) -> Bool
    /// The name of the elements of the value's parts; nil: the value is one text.
    let partName: String?
    /// Reads the texts of the elements of the parts and stores the value.
    let readParts: @Sendable ([String], inout Section) -> ConfigPartError?
    /// Returns the value as text of the file.
    let text: @Sendable (Section) -> String
    /// Resolves a relative path in the value against the folder.
    let resolve: @Sendable (inout Section, ConfigFolder) -> Void
    /// Copies the value of this field from the first section to the second one.
    let copy: @Sendable (Section, inout Section) -> Void

    /// - Parameters:
    ///   - name: the name of the element.
    ///   - key: the stored property of the value.
    ///   - type: the text form and the allowed values.
    ///   - change: the time at which a changed value takes effect.
    ///   - summary: the meaning of the field in full sentences, without default, unit and range.
    public init<Value: Sendable>(
        _ name: String, _ key: any WritableKeyPath<Section, Value> & Sendable,
        _ type: ConfigType<Value>, _ change: ConfigChange, _ summary: String
    ) {
        self.name = name
        self.change = change
        self.summary = summary
        unit = type.unit
        allowed = type.allowed
        describeKey = { String(describing: key) }
        read = { text, section in
            guard let value = type.parse(text) else { return false }
            section[keyPath: key] = value
            return true
        }
        partName = type.parts?.name
        readParts = { texts, section in
            switch type.parts?.read(texts) {
            case .success(let value): section[keyPath: key] = value
            case .failure(let error): return error
            case nil: break
            }
            return nil
        }
        text = { type.text($0[keyPath: key]) }
        resolve = { $0[keyPath: key] = type.resolve($0[keyPath: key], $1) }
        copy = { $1[keyPath: key] = $0[keyPath: key] }
    }
}
