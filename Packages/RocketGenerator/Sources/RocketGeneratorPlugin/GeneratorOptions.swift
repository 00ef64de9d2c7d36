import SwiftProtobufPluginLibrary

/// What the caller asked for with `--rocket_opt`: comma-separated `Key=Value` pairs.
struct GeneratorOptions {
    /// `Visibility=Public|Package|Internal`: who may use the generated declarations.
    var visibility = AccessLevel.internal
    /// `Server=true|false`: whether service protocols are written.
    var server = true
    /// `Client=true|false`: whether client structs are written.
    var client = true
    /// `Descriptors=true|false`: whether service protocols know their .proto files, which a server
    /// with reflection shows.
    var descriptors = true
    /// `UseAccessLevelOnImports=true|false`: whether `import` bears the access level. Only a
    /// module without InternalImportsByDefault may want to turn it off.
    var accessLevelOnImports = true
    /// `ProtoPathModuleMappings=FILE`: which .proto files belong to other modules, in
    /// swift-protobuf's own format.
    var moduleMappings = ProtoFileToModuleMappings()
    /// `FileNaming=FullPath|PathToUnderscores|DropPath`: as in protoc-gen-swift.
    var fileNaming = FileNaming.fullPath

    /// Every key that is understood, for the message about one that isn't.
    static let keys = [
        "Visibility", "Server", "Client", "Descriptors", "UseAccessLevelOnImports",
        "ProtoPathModuleMappings", "FileNaming",
    ]

    /// Reads the pairs in order; a key that comes twice keeps its last value.
    ///
    /// - Throws: `GeneratorOptionError`.
    init(pairs: [(key: String, value: String)]) throws {
        for (key, value) in pairs { try set(key, to: value) }
        if !server && !client {
            throw GeneratorOptionError("Server=false,Client=false leaves nothing to generate")
        }
    }

    private mutating func set(_ key: String, to value: String) throws {
        switch key {
        case "Visibility":
            visibility = try Self.parsed(
                key, value, AccessLevel.init(option:), "Public, Package or Internal")
        case "FileNaming":
            fileNaming = try Self.parsed(
                key, value, FileNaming.init(option:), "FullPath, PathToUnderscores or DropPath")
        case "Server": server = try Self.parsed(key, value, Bool.init, "true or false")
        case "Client": client = try Self.parsed(key, value, Bool.init, "true or false")
        case "Descriptors": descriptors = try Self.parsed(key, value, Bool.init, "true or false")
        case "UseAccessLevelOnImports":
            accessLevelOnImports = try Self.parsed(key, value, Bool.init, "true or false")
        case "ProtoPathModuleMappings": moduleMappings = try Self.mappings(atPath: value)
        default:
            throw GeneratorOptionError(
                "unknown option '\(key)': known are \(Self.keys.joined(separator: ", "))")
        }
    }

    private static func parsed<Value>(
        _ key: String, _ value: String, _ parse: (String) -> Value?, _ expected: String
    ) throws -> Value {
        if let parsed = parse(value) { return parsed }
        throw GeneratorOptionError("\(key)=\(value) is not understood: use \(expected)")
    }

    private static func mappings(atPath path: String) throws -> ProtoFileToModuleMappings {
        do {
            return try ProtoFileToModuleMappings(path: path)
        } catch {
            throw GeneratorOptionError("ProtoPathModuleMappings=\(path): \(error)")
        }
    }
}

/// An option that the plugin can't work with.
struct GeneratorOptionError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
