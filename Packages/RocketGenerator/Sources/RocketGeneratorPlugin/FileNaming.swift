/// Where a generated file goes, relative to protoc's output folder: the option `FileNaming`.
enum FileNaming {
    /// Into the same folders as the .proto file's.
    case fullPath
    /// Into one folder, the path's slashes as underscores.
    case pathToUnderscores
    /// Into one folder, by the file's own name only.
    case dropPath

    /// Reads an option's value in both of the spellings that protoc-gen-swift knows.
    init?(option: String) {
        switch option.lowercased() {
        case "fullpath", "full_path": self = .fullPath
        case "pathtounderscores", "path_to_underscores": self = .pathToUnderscores
        case "droppath", "drop_path": self = .dropPath
        default: return nil
        }
    }

    /// `shop/order.proto` becomes `shop/order.rocket.swift`, or as this naming wants it.
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
