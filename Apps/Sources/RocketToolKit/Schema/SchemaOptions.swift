import ArgumentParser
import RocketDynamic
import RocketProgram
import RocketRPC
import RocketSystem

/// The options that say what the services of a server are.
struct SchemaOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A .proto file with the service, for servers without reflection; may be repeated.",
            valueName: "file"),
        completion: .file(extensions: ["proto"]))
    var proto: [String] = []

    @Option(
        help: ArgumentHelp(
            "A folder in which .proto files are imported from; may be repeated.",
            discussion: "Default: the folders of the --proto files.", valueName: "folder"),
        completion: .directory)
    var importPath: [String] = []

    /// Refuses import paths without a file.
    func validate() throws {
        if proto.isEmpty, !importPath.isEmpty {
            throw ValidationError("--import-path needs --proto")
        }
    }

    /// The schema of the .proto files; nil: there are none. Reads files.
    ///
    /// - Throws: `ProgramFailure` with the lines that are wrong.
    func schema() throws(ProgramFailure) -> DynamicSchema? {
        if proto.isEmpty { return nil }
        var folders = importPath
        for file in proto {
            let folder = Self.folder(of: file)
            // The file must be in one of the folders; its own counts last.
            if !folders.contains(folder) { folders.append(folder) }
        }
        for file in proto {
            let isThere =
                FileSystem.exists(file)
                || folders.contains { FileSystem.exists("\($0)/\(file)") }
            if !isThere {
                throw ProgramFailure("there is no file \(file)", status: .noInput)
            }
        }
        do { return try DynamicSchema(protoFiles: proto, importPaths: folders) } catch {
            throw ProgramFailure(error.description, status: .dataError)
        }
    }

    private static func folder(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }
}
