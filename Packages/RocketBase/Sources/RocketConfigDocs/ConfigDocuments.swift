public import RocketBase
public import RocketSystem

/// The documents that are generated from the schema of the configuration: docs/configuration.md,
/// conf/rocket.reference.xml, and the doc comments in the sources of the sections.
public struct ConfigDocuments {
    /// The folder of the repository.
    public let root: String
    /// The sections and the folders of their sources, in the order of the reference file.
    private var sections: [(description: ConfigDescription, folder: String)]

    /// The documents of the framework's sections.
    ///
    /// - Parameter root: the folder of the repository.
    public init(root: String) {
        self.root = root
        sections = ConfigDescription.framework.map {
            ($0, "Packages/RocketBase/Sources/RocketBase/Config")
        }
    }

    /// Adds the section of a program, which is declared in `Type.swift` in `folder` below the root.
    public mutating func add(_ section: (some ConfigSection).Type, declaredIn folder: String) {
        sections.append((ConfigDescription(section), folder))
    }

    /// Returns the files that are out of date, with their new texts.
    ///
    /// - Throws: `SystemError` when the source of a section can't be read.
    public func outOfDate() throws(SystemError) -> [(path: String, text: String)] {
        let descriptions = sections.map(\.description)
        var current = [
            (path: "\(root)/docs/configuration.md", text: ConfigMarkdown.text(of: descriptions)),
            (path: "\(root)/conf/rocket.reference.xml", text: ReferenceXML.text(of: descriptions)),
        ]
        var types: Set<String> = []
        for (section, folder) in sections.flatMap({ outer in
            outer.description.flattened.map { ($0, outer.folder) }
        }) where types.insert(section.type).inserted {
            let path = "\(root)/\(folder)/\(section.type).swift"
            let source = String(
                decoding: try FileContents.read(path, limit: 1 << 20), as: UTF8.self)
            current.append((path, DocComments.updated(source: source, for: section)))
        }
        return current.filter { path, text in
            (try? FileContents.read(path, limit: 1 << 20)) != Array(text.utf8)
        }
    }

    /// Writes the files that are out of date and returns their paths.
    ///
    /// - Throws: `SystemError` when a file can't be read or written.
    public func renew() throws(SystemError) -> [String] {
        let stale = try outOfDate()
        for (path, text) in stale { try FileContents.write(Array(text.utf8), to: path) }
        return stale.map(\.path)
    }
}
