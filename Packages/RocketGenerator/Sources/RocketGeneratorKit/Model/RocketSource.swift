/// Where a project takes Rocket's packages from.
enum RocketSource: Hashable, Sendable {
    /// A folder with the repository: each package is named by its path.
    case folder(String)
    /// A git repository: the one package at its root is named.
    case repository(url: String, requirement: String)

    /// Reads `--rocket`: a URL has a scheme or git's `user@host:`, anything else is a folder's
    /// path. `URL#1.2.0` asks for a version, `URL#NAME` for a branch, `URL#` and 40 hexadecimal
    /// digits for a commit; a URL alone means its branch main.
    ///
    /// - Parameter absolute: makes a path absolute.
    init(_ text: String, absolute: (String) -> String) throws(GeneratorFailure) {
        let isURL = text.contains("://") || text.wholeMatch(of: /[\w.-]+@[\w.-]+:.*/) != nil
        guard isURL else {
            self = .folder(absolute(text))
            return
        }
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let url = String(parts[0])
        let wanted = parts.count > 1 ? String(parts[1]) : "main"
        guard !wanted.isEmpty, Self.isPlain(url), Self.isPlain(wanted) else {
            throw GeneratorFailure(
                "--rocket \(text) is no URL[#VERSION|#BRANCH|#COMMIT] of a git repository")
        }
        self = .repository(url: url, requirement: Self.requirement(wanted))
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.contains { $0.isWhitespace || "\"\\".contains($0) }
    }

    private static func requirement(_ wanted: String) -> String {
        if wanted.wholeMatch(of: /\d+\.\d+\.\d+/) != nil { return "from: \"\(wanted)\"" }
        if wanted.wholeMatch(of: /[0-9a-f]{40}/) != nil { return "revision: \"\(wanted)\"" }
        return "branch: \"\(wanted)\""
    }

    /// The products of Rocket that a project uses, each with the package that has it.
    static let products = ["RocketBase", "RocketRPC", "RocketProgram"]
    /// Packages that are named for themselves: the first for `swift package generate-rocket`.
    static let packages = ["RocketBase", "RocketGenerate", "RocketProgram", "RocketRPC"]

    /// The identity that SwiftPM gives a package which comes from a URL: its last part.
    private static func identity(_ url: String) -> String {
        let last = url.split { "/:".contains($0) }.last.map(String.init) ?? url
        return last.hasSuffix(".git") ? String(last.dropLast(4)) : last
    }

    /// The lines of a manifest's dependencies.
    var dependencies: [String] {
        switch self {
        case .folder(let path):
            Self.packages.map { ".package(path: \"\(path)/Packages/\($0)\")," }
        case .repository(let url, let requirement):
            [".package(url: \"\(url)\", \(requirement)),"]
        }
    }

    /// A target's dependency on a product.
    func product(_ name: String) -> String {
        let package =
            switch self {
            case .folder: name
            case .repository(let url, _): Self.identity(url)
            }
        return ".product(name: \"\(name)\", package: \"\(package)\")"
    }
}
