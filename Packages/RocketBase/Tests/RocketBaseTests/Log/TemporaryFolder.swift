import Foundation

/// A folder for one test, gone when the test is.
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

    /// The lines of all files whose names contain `part`, oldest name first.
    func lines(_ part: String = "") -> [String] {
        names.filter { part.isEmpty || $0.contains(part) }
            .flatMap { text($0).split(separator: "\n").map(String.init) }
    }
}
