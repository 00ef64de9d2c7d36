/// A section inside of another one: an element that may be missing, or that may occur several times.
public struct ConfigElement<Section: Sendable>: Sendable {
    /// The name of the element.
    public let name: String
    /// Whether it may occur several times.
    let isRepeated: Bool
    /// Describes the section, for documentation.
    let describe: @Sendable (ConfigPlace) -> ConfigDescription
    /// Reads the elements of this name into the outer section.
    let read: @Sendable (inout ConfigReader, [XMLElement], inout Section, ConfigPlace) -> Void
    /// Returns the values of the section, below the path of the outer one.
    let entries: @Sendable (RocketConfig, Section, String, ConfigChange?) -> [ConfigEntry]
    /// Copies what can change live from the first section to the second one.
    let adopt: @Sendable (Section, inout Section) -> Void

    /// An element that occurs once at most.
    ///
    /// - Parameters:
    ///   - key: the stored property; nil: the element is missing.
    ///   - presence: the time at which its appearance or its removal takes effect.
    ///   - isAlwaysListed: whether a missing element means the same as one with all defaults, which are
    ///     among the values of the configuration then. Default false: a missing element has no values.
    public init<Inner: ConfigSection>(
        _ key: any WritableKeyPath<Section, Inner?> & Sendable, _ presence: ConfigChange,
        isAlwaysListed: Bool = false
    ) {
        name = Inner.schema.name
        isRepeated = false
        describe = { ConfigDescription(Inner.self, at: $0.inside(Inner.schema.name)) }
        read = { reader, elements, section, place in
            section[keyPath: key] = reader.optional(
                Inner.self, elements.first, place.inside(Inner.schema.name))
        }
        entries = { config, section, path, outer in
            let missing = isAlwaysListed ? Inner() : nil
            guard let inner = section[keyPath: key] ?? missing else { return [] }
            return config.entries(
                of: inner, at: "\(path)/\(Inner.schema.name)", presence: outer ?? presence)
        }
        adopt = { new, section in
            let (old, next) = (section[keyPath: key], new[keyPath: key])
            if let old, let next {
                section[keyPath: key] = old.adoptingLiveFields(of: next)
            } else if presence == .live {
                section[keyPath: key] = next
            }
        }
    }

    /// An element that may occur any number of times. Its values have no variables.
    ///
    /// - Parameters:
    ///   - key: the stored property.
    ///   - id: the field that tells the elements apart, which must be unique and must not be empty.
    ///   - idName: the name of that field's element.
    ///   - presence: the time at which their appearance or their removal takes effect.
    public init<Inner: ConfigSection>(
        _ key: any WritableKeyPath<Section, [Inner]> & Sendable,
        id: any KeyPath<Inner, String> & Sendable, _ idName: String, _ presence: ConfigChange
    ) {
        name = Inner.schema.name
        isRepeated = true
        describe = {
            ConfigDescription(Inner.self, at: $0.inside(Inner.schema.name).withoutVariables)
        }
        read = { reader, elements, section, place in
            section[keyPath: key] = reader.repeated(
                Inner.self, elements, place.inside(Inner.schema.name).withoutVariables,
                id: id, idName)
        }
        entries = { config, section, path, outer in
            section[keyPath: key].flatMap {
                config.entries(
                    of: $0, at: "\(path)/\(Inner.schema.name)/\($0[keyPath: id])",
                    presence: outer ?? presence)
            }
        }
        adopt = { new, section in
            section[keyPath: key] = section[keyPath: key].map { old in
                new[keyPath: key].first { $0[keyPath: id] == old[keyPath: id] }
                    .map { old.adoptingLiveFields(of: $0) } ?? old
            }
        }
    }
}

/// Where the values of a section are found. A value.
struct ConfigPlace: Sendable {
    /// The path of the element in the file: `root/server`, `root/stubs/rpc_server`.
    var file: String
    /// The path of the section's entries: `server`, `stubs/order`.
    var entry: String
    /// What its variables begin with, for `ConfigSchema.variable`: `server`, `stubs_order`; nil: it
    /// has none.
    var variables: String?
    /// The field that no variable overrides, if any.
    var fixed: String?

    /// The place of a section of `root`.
    static func section(_ name: String) -> Self {
        Self(file: "root/\(name)", entry: name, variables: name)
    }

    /// The place of an element inside of this one.
    func inside(_ name: String) -> Self {
        Self(
            file: "\(file)/\(name)", entry: "\(entry)/\(name)",
            variables: variables.map { "\($0)_\(name)" })
    }

    /// The same without variables.
    var withoutVariables: Self { Self(file: file, entry: entry, variables: nil) }
}
