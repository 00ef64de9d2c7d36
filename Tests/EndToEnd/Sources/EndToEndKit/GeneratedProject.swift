public import Foundation

/// A project that rocket_generator writes into a folder of a test's own; gone with the last
/// reference.
public final class GeneratedProject: Sendable {
    /// The folder that holds the .proto file and the project.
    public let folder: String
    /// The project.
    public var path: String { folder + "/order" }

    /// An empty folder.
    public init() throws {
        folder = NSTemporaryDirectory() + "rocket-generator-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Writes order.proto with these methods and runs the generator over it.
    public func generate(_ methods: String, _ arguments: String...) throws -> Ending {
        try write(
            "order.proto",
            """
            syntax = "proto3";
            message Want { int32 price = 1; }
            message Bill { int32 ret_code = 1; string res_info = 2; }
            service Order {
            \(methods)
            }

            """)
        return try run(arguments)
    }

    /// Runs the generator over order.proto as it is.
    public func run(_ arguments: [String]) throws -> Ending {
        try Programs.run(
            "rocket_generator",
            ["-i", folder + "/order.proto", "-o", folder, "--rocket", Programs.repository]
                + arguments)
    }

    /// Writes a file below the folder.
    public func write(_ name: String, _ text: String) throws {
        try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
    }

    /// A file of the project; nil where there is none.
    public func text(_ name: String) -> String? {
        try? String(contentsOfFile: path + "/" + name, encoding: .utf8)
    }

    /// Adds a line to a file of the project.
    public func edit(_ name: String, adding line: String = "// mine") throws {
        try write("order/" + name, (text(name) ?? "") + line + "\n")
    }

    /// Every file of the project.
    public func files() -> [String: Data] {
        let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        var files: [String: Data] = [:]
        for name in names {
            var isFolder: ObjCBool = false
            let place = path + "/" + name
            let exists = FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
            if exists && !isFolder.boolValue {
                files[name] = FileManager.default.contents(atPath: place)
            }
        }
        return files
    }
}
