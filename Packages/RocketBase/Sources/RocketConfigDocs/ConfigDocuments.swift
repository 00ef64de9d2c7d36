public import RocketBase
public import RocketSystem

/// All that is generated from the configuration's schema: docs/configuration.md,
/// conf/rocket.reference.xml, and the doc comments in the sections' sources.
public struct ConfigDocuments {
    /// The repository.
    public let root: String
    /// The sections and where the source of each stands, in the order of the reference file.
    private var sections: [(description: ConfigDescription, folder: String)]

    /// The framework's own sections.
    public init(root: String) {
        self.root = root
        sections = ConfigDescription.framework.map {
            ($0, "Packages/RocketBase/Sources/RocketBase/Config")
        }
    }

    /// Adds a program's section, declared in `Type.swift` in that folder below the root.
    public mutating func add(_ section: (some ConfigSection).Type, declaredIn folder: String) {
        sections.append((ConfigDescription(section), folder))
    }

    /// The files that are not as they should be, with what should be in them.
    ///
    /// - Throws: `SystemError` for a section's source that can't be read.
    public func outOfDate() throws(SystemError) -> [(path: String, text: String)] {
        let descriptions = sections.map(\.description)
        var wanted = [
            (path: "\(root)/docs/configuration.md", text: ConfigMarkdown.text(of: descriptions)),
            (path: "\(root)/conf/rocket.reference.xml", text: ReferenceXML.text(of: descriptions)),
        ]
        for (section, folder) in sections {
            let path = "\(root)/\(folder)/\(section.type).swift"
            let source = String(
                decoding: try FileContents.read(path, limit: 1 << 20), as: UTF8.self)
            wanted.append((path, DocComments.renewed(source: source, for: section)))
        }
        return wanted.filter { path, text in
            (try? FileContents.read(path, limit: 1 << 20)) != Array(text.utf8)
        }
    }

    /// Renews what is out of date; returns the paths.
    ///
    /// - Throws: `SystemError` for a file that can't be read or written.
    public func renew() throws(SystemError) -> [String] {
        let stale = try outOfDate()
        for (path, text) in stale { try FileContents.write(Array(text.utf8), to: path) }
        return stale.map(\.path)
    }
}
