import RocketProgram

/// Source of Rocket's packages for a project.
enum RocketSource: Hashable, Sendable {
    /// A folder with the repository: the manifest names each package by its path.
    case folder(String)
    /// A git repository: the manifest names the package at its root.
    case repository(url: String, requirement: String)

    /// Parses `--rocket`: a URL has a scheme or git's `user@host:`, any other text is the path of a
    /// folder. `URL#1.2.0` selects a version, `URL#NAME` a branch, `URL#` with 40 hexadecimal digits
    /// a commit; a URL alone selects the branch main.
    ///
    /// - Parameter absolute: converts a path to an absolute one.
    init(_ text: String, absolute: (String) -> String) throws(GeneratorFailure) {
        let isURL = text.contains("://") || text.wholeMatch(of: /[\w.-]+@[\w.-]+:.*/) != nil
        guard isURL else {
            self = .folder(absolute(text))
            return
        }
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let url = String(parts[0])
        let revision = parts.count > 1 ? String(parts[1]) : "main"
        guard !revision.isEmpty, Self.isPlain(url), Self.isPlain(revision) else {
            throw GeneratorFailure(
                "--rocket \(text) is not a URL[#VERSION|#BRANCH|#COMMIT] of a git repository",
                status: .usage)
        }
        self = .repository(url: url, requirement: Self.requirement(revision))
    }

    /// Reads the source from the manifest of an existing project; nil if it has none that the
    /// generator can have written.
    init?(manifest: String) {
        if let match = manifest.firstMatch(of: /let rocket = .*\?\? "([^"\\]+)"/) {
            self = .folder(String(match.1))
            return
        }
        let product = /product\(name: "RocketRPC", package: "([^"]+)"\)/
        guard let identity = manifest.firstMatch(of: product)?.1 else { return nil }
        let packages = manifest.matches(of: /\.package\(url: "([^"]+)", ([a-z]+: "[^"]+")\)/)
        guard let package = packages.first(where: { Self.identity(String($0.1)) == identity })
        else { return nil }
        self = .repository(url: String(package.1), requirement: String(package.2))
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.contains { $0.isWhitespace || "\"\\".contains($0) }
    }

    private static func requirement(_ revision: String) -> String {
        if revision.wholeMatch(of: /\d+\.\d+\.\d+/) != nil { return "from: \"\(revision)\"" }
        if revision.wholeMatch(of: /[0-9a-f]{40}/) != nil { return "revision: \"\(revision)\"" }
        return "branch: \"\(revision)\""
    }

    /// Returns the source as a project in `folder` names it: a path is relative to that folder, so
    /// that the project is the same for everybody who has both folders side by side.
    ///
    /// - Parameter folder: an absolute path.
    func named(in folder: String) -> RocketSource {
        guard case .folder(let path) = self, path.hasPrefix("/") else { return self }
        let from = folder.split(separator: "/")
        let to = path.split(separator: "/")
        let common = zip(from, to).prefix { $0 == $1 }.count
        let parts =
            Array(repeating: "..", count: from.count - common)
            + to.dropFirst(common).map(String.init)
        return .folder(parts.isEmpty ? "." : parts.joined(separator: "/"))
    }

    /// Products of Rocket that all targets of a project link; each is named after its package. The
    /// server program also links RocketGRPC. RocketCodec has the members of metadata, RocketTCP
    /// addresses: generated code imports neither, code that handles calls often does.
    static let products = [
        "RocketBase", "RocketCodec", "RocketProgram", "RocketRPC", "RocketTCP",
    ]
    /// Packages that a project depends on; RocketGenerate adds `swift package generate-rocket`, and
    /// RocketGenerator the generator for `make generate`.
    static let packages = [
        "RocketBase", "RocketCodec", "RocketGRPC", "RocketGenerate", "RocketGenerator",
        "RocketProgram", "RocketRPC", "RocketTCP",
    ]

    /// Returns SwiftPM's identity of a package with a URL: the last part of the URL.
    private static func identity(_ url: String) -> String {
        let last = url.split { "/:".contains($0) }.last.map(String.init) ?? url
        return last.hasSuffix(".git") ? String(last.dropLast(4)) : last
    }

    /// The path of a folder; nil for a repository.
    var path: String? { if case .folder(let path) = self { path } else { nil } }

    /// Dependencies for the manifest, one per line.
    var dependencies: [String] {
        switch self {
        case .folder:
            Self.packages.map { ".package(path: \"\\(rocket)/Packages/\($0)\")," }
        case .repository(let url, let requirement):
            [".package(url: \"\(url)\", \(requirement)),"]
        }
    }

    /// Returns a target's dependency on a product.
    func product(_ name: String) -> String {
        let package =
            switch self {
            case .folder: name
            case .repository(let url, _): Self.identity(url)
            }
        return ".product(name: \"\(name)\", package: \"\(package)\")"
    }
}
