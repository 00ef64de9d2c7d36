import RocketBase
import RocketConfigDocs
import RocketSystem

/// `rocket_config_docs --write ROOT` renews what is generated from the configuration's schema:
/// docs/configuration.md, conf/rocket.reference.xml and the doc comments of the sections.
/// `--check ROOT` only compares; its exit status is 1 when something is out of date.
@main
enum RocketConfigDocsCommand {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 2, let mode = arguments.first, let root = arguments.last,
            ["--write", "--check"].contains(mode)
        else { end("usage: rocket_config_docs --write|--check ROOT_OF_THE_REPOSITORY", status: 2) }
        do {
            let stale = try outOfDate(in: root)
            if mode == "--write" {
                for (path, text) in stale {
                    try FileContents.write(Array(text.utf8), to: path)
                    print("renewed \(path)")
                }
            } else if !stale.isEmpty {
                let paths = stale.map(\.path).joined(separator: ", ")
                end("out of date: \(paths); run rocket_config_docs --write \(root)", status: 1)
            }
        } catch {
            end("\(error)", status: 1)
        }
    }

    /// The files that are not as they should be, with what should be in them.
    private static func outOfDate(
        in root: String
    ) throws(SystemError) -> [(path: String, text: String)] {
        let sections = ConfigDescription.framework
        var wanted = [
            (path: "\(root)/docs/configuration.md", text: ConfigMarkdown.text(of: sections)),
            (path: "\(root)/conf/rocket.reference.xml", text: ReferenceXML.text(of: sections)),
        ]
        for section in sections {
            let folder = "\(root)/Packages/RocketBase/Sources/RocketBase/Config"
            let path = "\(folder)/\(section.type).swift"
            let source = String(
                decoding: try FileContents.read(path, limit: 1 << 20), as: UTF8.self)
            wanted.append((path, DocComments.renewed(source: source, for: section)))
        }
        return wanted.filter { path, text in
            (try? FileContents.read(path, limit: 1 << 20)) != Array(text.utf8)
        }
    }

    private static func end(_ message: String, status: Int32) -> Never {
        ProcessExit.end("rocket_config_docs: \(message)", status: status)
    }
}
