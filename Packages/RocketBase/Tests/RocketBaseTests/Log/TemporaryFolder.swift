import Foundation

/// A folder for one test; its deinit removes it.
final class TemporaryFolder {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "rocket-log-" + UUID().uuidString
        try? FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    func text(_ name: String) -> String {
        (try? String(contentsOfFile: path + "/" + name, encoding: .utf8)) ?? ""
    }

    /// The lines of all files whose names contain `part`, in the order of the names.
    func lines(_ part: String = "") -> [String] {
        names.filter { part.isEmpty || $0.contains(part) }
            .flatMap { text($0).split(separator: "\n").map(String.init) }
    }
}
