import SwiftProtobufPluginLibrary

/// Options that are given by `--rocket_opt`: comma-separated `Key=Value` pairs.
struct GeneratorOptions {
    /// `Visibility=Public|Package|Internal`: access level of the generated declarations.
    var visibility = AccessLevel.internal
    /// `Server=true|false`: whether service protocols are generated.
    var server = true
    /// `Client=true|false`: whether client structs are generated.
    var client = true
    /// `Descriptors=true|false`: whether service protocols contain the descriptors of their .proto
    /// files, which a server with reflection returns.
    var descriptors = true
    /// `UseAccessLevelOnImports=true|false`: whether imports have an access level. Modules that are
    /// built without InternalImportsByDefault can turn it off.
    var accessLevelOnImports = true
    /// `ProtoPathModuleMappings=FILE`: modules of .proto files that are compiled elsewhere, in
    /// swift-protobuf's format.
    var moduleMappings = ProtoFileToModuleMappings()
    /// `FileNaming=FullPath|PathToUnderscores|DropPath`: output paths, as in protoc-gen-swift.
    var fileNaming = FileNaming.fullPath

    /// All valid keys, listed in the error for an unknown one.
    static let keys = [
        "Visibility", "Server", "Client", "Descriptors", "UseAccessLevelOnImports",
        "ProtoPathModuleMappings", "FileNaming",
    ]

    /// Reads the pairs in order; the last value of a repeated key wins.
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
                "unknown option '\(key)'; valid options: \(Self.keys.joined(separator: ", "))")
        }
    }

    private static func parsed<Value>(
        _ key: String, _ value: String, _ parse: (String) -> Value?, _ expected: String
    ) throws -> Value {
        if let parsed = parse(value) { return parsed }
        throw GeneratorOptionError("\(key)=\(value) is invalid: use \(expected)")
    }

    private static func mappings(atPath path: String) throws -> ProtoFileToModuleMappings {
        do {
            return try ProtoFileToModuleMappings(path: path)
        } catch {
            throw GeneratorOptionError("ProtoPathModuleMappings=\(path): \(error)")
        }
    }
}

/// An unknown option, or an option with an invalid value.
struct GeneratorOptionError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Access level of the generated declarations: the option `Visibility`.
public enum AccessLevel: String, CaseIterable, Sendable {
    case `public`
    case package
    case `internal`

    /// Parses an option's value as protoc-gen-swift does: `Public`, `Package` or `Internal`, case
    /// ignored. Returns nil for any other value.
    public init?(option: String) {
        self.init(rawValue: option.lowercased())
    }

    /// Prefix of a declaration, a space at its end; empty for `internal`.
    var modifier: String { self == .internal ? "" : "\(rawValue) " }
}

/// Path of a generated file relative to protoc's output folder: the option `FileNaming`.
enum FileNaming {
    /// The same folders as the .proto file.
    case fullPath
    /// No folders; the path's slashes become underscores.
    case pathToUnderscores
    /// No folders; only the file's name is kept.
    case dropPath

    /// Parses an option's value in both spellings that protoc-gen-swift accepts. Returns nil for any
    /// other value.
    init?(option: String) {
        switch option.lowercased() {
        case "fullpath", "full_path": self = .fullPath
        case "pathtounderscores", "path_to_underscores": self = .pathToUnderscores
        case "droppath", "drop_path": self = .dropPath
        default: return nil
        }
    }

    /// Returns the output path of a .proto file: `shop/order.rocket.swift` for `shop/order.proto`
    /// with `fullPath`.
    func outputPath(forProto path: String) -> String {
        let stem = path.hasSuffix(".proto") ? String(path.dropLast(".proto".count)) : path
        let folders = stem.split(separator: "/", omittingEmptySubsequences: false)
        switch self {
        case .fullPath: return "\(stem).rocket.swift"
        case .pathToUnderscores: return "\(folders.joined(separator: "_")).rocket.swift"
        case .dropPath: return "\(folders.last ?? "").rocket.swift"
        }
    }
}
