import Foundation

/// A new folder that is gone with the last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws(GeneratorFailure) {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("rocket_generator-\(UUID().uuidString)").path
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        } catch { throw GeneratorFailure("\(path) can't be made: \(error)") }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
