import Foundation
import PackagePlugin

/// One run of protoc: its input, output and options.
struct ProtocJob {
    /// Folder of the generated code.
    let output: URL
    /// Paths of the .proto files, relative to `protoPath`.
    let files: [String]
    private let protoPath: URL
    private let visibility: String
    private let swiftPlugin: URL
    private let rocketPlugin: URL

    init(_ arguments: [String], package: URL, swiftPlugin: URL, rocketPlugin: URL) throws {
        var extractor = ArgumentExtractor(arguments)
        func option(_ name: String) -> String? { extractor.extractOption(named: name).last }
        let protos = option("proto-path") ?? "Protos"
        let folder = option("output")
        visibility = option("visibility") ?? "Public"
        protoPath = URL(fileURLWithPath: protos, relativeTo: package).absoluteURL
        output =
            try folder.map { URL(fileURLWithPath: $0, relativeTo: package).absoluteURL }
            ?? Self.onlyOutput(in: package)
        self.swiftPlugin = swiftPlugin
        self.rocketPlugin = rocketPlugin
        let named = extractor.remainingArguments
        if let unknown = named.first(where: { $0.hasPrefix("-") }) {
            throw GenerateFailure("unknown option '\(unknown)'; see generate-rocket --help")
        }
        files = named.isEmpty ? Self.protos(in: protoPath) : named
        guard !files.isEmpty else {
            throw GenerateFailure("there is no .proto file in \(protoPath.path)")
        }
    }

    /// Runs protoc with a temporary output folder, then copies the files: if protoc fails, the
    /// package does not change.
    func run(_ protoc: Protoc) throws {
        let manager = FileManager.default
        let work = manager.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try manager.createDirectory(at: work, withIntermediateDirectories: true)
        defer { try? manager.removeItem(at: work) }
        let options = "Visibility=\(visibility),FileNaming=PathToUnderscores"
        try protoc.run(
            [
                "--proto_path=\(protoPath.path)",
                "--plugin=protoc-gen-swift=\(swiftPlugin.path)", "--swift_out=\(work.path)",
                "--swift_opt=\(options),UseAccessLevelOnImports=true",
                "--plugin=protoc-gen-rocket=\(rocketPlugin.path)", "--rocket_out=\(work.path)",
                "--rocket_opt=\(options)",
            ] + files, hint: hint)
        // protoc-gen-swift writes nothing, and succeeds, if it can't read what protoc sends.
        let written = Set(try manager.contentsOfDirectory(atPath: work.path))
        if let missing = files.first(where: { !written.contains(Self.messages(of: $0)) }) {
            throw GenerateFailure("no code was generated from \(missing); nothing was written")
        }
        try manager.createDirectory(at: output, withIntermediateDirectories: true)
        for name in written.sorted() {
            let text = try Data(contentsOf: work.appendingPathComponent(name))
            try text.write(to: output.appendingPathComponent(name), options: .atomic)
        }
    }

    /// Returns the name of the file with the messages of a .proto file.
    private static func messages(of proto: String) -> String {
        let stem = proto.hasSuffix(".proto") ? String(proto.dropLast(6)) : proto
        return stem.replacing("/", with: "_") + ".pb.swift"
    }

    /// What to do if protoc fails: Debian's does not know editions, and its message is not clear.
    private var hint: String {
        let usesEditions = files.contains { file in
            let path = URL(fileURLWithPath: file, relativeTo: protoPath)
            let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
            return text.firstMatch(of: /(?m)^\s*edition\s*=/) != nil
        }
        return usesEditions ? "; editions need protoc 27 or newer, which PROTOC can name" : ""
    }

    private static func protos(in folder: URL) -> [String] {
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap {
            $0 as? String
        }
        return (names ?? []).filter { $0.hasSuffix(".proto") }.sorted()
    }

    /// Returns `Sources/NAME/pb` if there is exactly one, as in projects of rocket_generator.
    private static func onlyOutput(in package: URL) throws -> URL {
        let sources = package.appendingPathComponent("Sources")
        let modules = (try? FileManager.default.contentsOfDirectory(atPath: sources.path)) ?? []
        let folders = modules.map { sources.appendingPathComponent("\($0)/pb") }
            .filter { FileManager.default.fileExists(atPath: $0.path) }
        guard folders.count == 1, let folder = folders.first else {
            throw GenerateFailure(
                "there are \(folders.count) folders Sources/*/pb: use --output FOLDER")
        }
        return folder
    }
}
