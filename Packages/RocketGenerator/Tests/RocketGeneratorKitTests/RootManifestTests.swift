import Foundation
import Testing

@testable import RocketGeneratorKit

/// Compares the manifest in the root folder, for dependencies by URL, with those of the packages.
@Suite("Manifest in the root folder")
struct RootManifestTests {
    private struct Manifest: Decodable {
        struct Target: Decodable {
            var name: String
            var type: String
            var dependencies: [[String: [Part?]]]

            /// Dependencies by name only: the packages differ, the modules do not.
            var names: Set<String> {
                Set(dependencies.flatMap(\.values).compactMap { $0.first??.text })
            }
        }
        var targets: [Target]
    }

    /// A string, or any other value.
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

    @Test("Has the library targets of the packages with the same dependencies")
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
