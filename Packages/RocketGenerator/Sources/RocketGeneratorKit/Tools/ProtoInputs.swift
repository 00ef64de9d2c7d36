import FoundationEssentials
import RocketProgram

/// The .proto files of the command line and the folders in which protoc looks for imports.
struct ProtoInputs {
    /// Absolute paths of the files.
    let paths: [String]
    /// Absolute import paths; each file is in one of them.
    let roots: [String]
    /// Names of the files as protoc knows them: relative to the first root that contains the file.
    let names: [String]

    /// - Throws: `GeneratorFailure` for a file or folder that does not exist or that protoc can't
    ///   take, and for files that would have the same name.
    init(_ files: [String], importPaths: [String]) throws(GeneratorFailure) {
        // protoc compares paths as text, so all must be absolute.
        let urls = files.map { URL(fileURLWithPath: $0).standardizedFileURL }
        let imports = importPaths.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        let folders = urls.filter { url in
            !imports.contains { Self.name(of: url.path, in: $0) != nil }
        }
        .map { $0.deletingLastPathComponent().path }
        var seen: Set<String> = []
        let roots = (folders + imports).filter { seen.insert($0).inserted }
        paths = urls.map(\.path)
        names = paths.map { path in
            roots.lazy.compactMap { Self.name(of: path, in: $0) }.first ?? path
        }
        self.roots = roots
        try check(imports)
    }

    private func check(_ imports: [String]) throws(GeneratorFailure) {
        for path in paths where !FileManager.default.isReadableFile(atPath: path) {
            throw GeneratorFailure("\(path) can't be read: no such file", status: .noInput)
        }
        for folder in imports {
            var isFolder = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder),
                isFolder
            else { throw GeneratorFailure("-I \(folder): no such folder", status: .noInput) }
        }
        // protoc splits --proto_path at colons and at an equals sign.
        for root in roots where root.contains(where: { ":=".contains($0) }) {
            throw GeneratorFailure(
                "\(root): protoc can't read folders with ':' or '=' in their path", status: .usage)
        }
        for name in names where name.unicodeScalars.contains(where: { $0.value < 32 }) {
            throw GeneratorFailure(
                "a .proto file's name can't have control characters", status: .usage)
        }
        guard let twice = FirstDuplicate.of(names) else { return }
        let same = zip(names, paths).filter { $0.0 == twice }.map(\.1)
        throw GeneratorFailure(
            Set(same).count == 1
                ? "\(same[0]) is given twice"
                : "\(same.joined(separator: " and ")) would both be \(twice): use -I with a folder "
                    + "that contains both", status: .usage)
    }

    /// Names of the files for messages.
    var list: String { paths.joined(separator: ", ") }

    /// Returns the text of a file by protoc's name; nil if it can't be read as UTF-8.
    func text(of name: String) -> String? { Self.text(of: name, in: roots) }

    /// Returns the text of the first file of that name; nil if it can't be read as UTF-8.
    static func text(of name: String, in roots: [String]) -> String? {
        roots.lazy.compactMap { try? String(contentsOfFile: "\($0)/\(name)", encoding: .utf8) }
            .first
    }

    private static func name(of path: String, in root: String) -> String? {
        let prefix = root.hasSuffix("/") ? root : root + "/"
        return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : nil
    }
}
