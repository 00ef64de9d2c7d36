public import Foundation

/// A project written by rocket_generator in a temporary folder; removed with the last reference.
public final class GeneratedProject: Sendable {
    /// The folder that holds the .proto file and the project.
    public let folder: String
    /// The folder of the project.
    public var path: String { folder + "/order" }

    /// Makes an empty folder.
    public init() throws {
        folder = NSTemporaryDirectory() + "rocket-generator-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Writes order.proto with these methods, and runs the generator.
    public func generate(_ methods: String, _ arguments: String...) throws -> ProcessResult {
        try write(
            "order.proto",
            """
            syntax = "proto3";
            message Request { int32 price = 1; }
            message Reply { int32 ret_code = 1; string res_info = 2; }
            service Order {
            \(methods)
            }

            """)
        return try run(arguments)
    }

    /// Runs the generator with the present order.proto.
    public func run(_ arguments: [String]) throws -> ProcessResult {
        try Programs.run(
            "rocket_generator",
            ["-i", folder + "/order.proto", "-o", folder, "--rocket", Programs.repository]
                + arguments)
    }

    /// Writes a file below the folder.
    public func write(_ name: String, _ text: String) throws {
        try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
    }

    /// Returns the text of a file of the project; nil if it does not exist.
    public func text(_ name: String) -> String? {
        try? String(contentsOfFile: path + "/" + name, encoding: .utf8)
    }

    /// Appends a line to a file of the project.
    public func edit(_ name: String, adding line: String = "// mine") throws {
        try write("order/" + name, (text(name) ?? "") + line + "\n")
    }

    /// Returns all files of the project by their relative paths.
    public func files() -> [String: Data] {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        var files: [String: Data] = [:]
        for name in names {
            var isFolder: ObjCBool = false
            let file = path + "/" + name
            let exists = FileManager.default.fileExists(atPath: file, isDirectory: &isFolder)
            if exists && !isFolder.boolValue {
                files[name] = FileManager.default.contents(atPath: file)
            }
        }
        return files
    }
}
