import Foundation
import Testing

@testable import RocketGeneratorKit

/// The manifest at the repository's root, for those who name its URL, against the packages' own.
@Suite("The root manifest")
struct RootManifestTests {
    private struct Manifest: Decodable {
        struct Target: Decodable {
            var name: String
            var type: String
            var dependencies: [[String: [Part?]]]

            /// What it depends on, by name only: packages differ, modules do not.
            var names: Set<String> {
                Set(dependencies.flatMap(\.values).compactMap { $0.first??.text })
            }
        }
        var targets: [Target]
    }

    /// A string, or anything that is none.
    private struct Part: Decodable, Hashable {
        var text: String?
        init(from decoder: any Decoder) {
            text = try? decoder.singleValueContainer().decode(String.self)
        }
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func manifest(_ folder: URL) throws -> Manifest {
        let scratch = try TemporaryFolder()
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "swift", "package", "--package-path", folder.path, "--scratch-path", scratch.path,
            "dump-package",
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try JSONDecoder().decode(Manifest.self, from: data)
    }

    @Test("has the packages' library targets with their dependencies")
    func sameTargets() throws {
        let packages = Self.root.appending(path: "Packages")
        var expected: [String: Set<String>] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: packages.path) {
            for target in try manifest(packages.appending(path: name)).targets {
                expected[target.name] = target.names
            }
        }
        let targets = try manifest(Self.root).targets
        #expect(targets.count > 15)
        for target in targets {
            #expect(target.names == expected[target.name], "\(target.name)")
        }
    }
}
