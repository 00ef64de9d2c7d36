import ChatServerKit
import OrderServerKit
import RocketBase
import RocketConfigDocs
import RocketSystem

/// `rocket_config_docs --write ROOT` regenerates the files that depend on the schema of the
/// configuration: docs/configuration.md, conf/rocket.reference.xml and the doc comments of all
/// sections, those of the programs included. `--check ROOT` only compares; its exit status is 1 if
/// a file is out of date.
@main
enum RocketConfigDocsCommand {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 2, let mode = arguments.first, let root = arguments.last,
            ["--write", "--check"].contains(mode)
        else { end("usage: rocket_config_docs --write|--check ROOT_OF_THE_REPOSITORY", status: 2) }
        var documents = ConfigDocuments(root: root)
        documents.add(OrderStoreConfig.self, declaredIn: "Apps/Sources/OrderServerKit")
        documents.add(ChatConfig.self, declaredIn: "Apps/Sources/ChatServerKit")
        do {
            if mode == "--write" {
                let output = SharedOutput(StandardStream.output)
                for path in try documents.renew() {
                    guard let error = output.write("renewed \(path)\n", waitingAtMost: nil)
                    else { continue }
                    end("can't write to standard output: \(error)", status: 1)
                }
                return
            }
            let stale = try documents.outOfDate().map(\.path).joined(separator: ", ")
            if !stale.isEmpty {
                end("out of date: \(stale); run rocket_config_docs --write \(root)", status: 1)
            }
        } catch {
            end("\(error)", status: 1)
        }
    }

    private static func end(_ message: String, status: Int32) -> Never {
        ProcessExit.end("rocket_config_docs: \(message)", status: status)
    }
}
