import ChatServerKit
import OrderServerKit
import RocketBase
import RocketConfigDocs
import RocketProgram
import RocketSystem

/// `rocket_config_docs --write ROOT` regenerates the files that depend on the schema of the
/// configuration: docs/configuration.md, conf/rocket.reference.xml and the doc comments of all
/// sections, those of the programs included. `--check ROOT` only compares; its exit status is 1 if
/// a file is out of date, 64 for wrong arguments, and another one if a file can't be read or written.
@main
enum RocketConfigDocsCommand {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 2, let mode = arguments.first, let root = arguments.last,
            ["--write", "--check"].contains(mode)
        else {
            end("usage: rocket_config_docs --write|--check ROOT_OF_THE_REPOSITORY", status: .usage)
        }
        var documents = ConfigDocuments(root: root)
        documents.add(OrderStoreConfig.self, declaredIn: "Apps/Sources/OrderServerKit")
        documents.add(ChatConfig.self, declaredIn: "Apps/Sources/ChatServerKit")
        do {
            if mode == "--write" {
                let output = SharedOutput(StandardStream.output)
                for path in try documents.renew() {
                    guard let error = output.write("renewed \(path)\n", waitingAtMost: nil)
                    else { continue }
                    end("can't write to standard output: \(error)", status: .ioError)
                }
                return
            }
            let stale = try documents.outOfDate().map(\.path).joined(separator: ", ")
            if !stale.isEmpty {
                end(
                    "out of date: \(stale); run rocket_config_docs --write \(root)",
                    status: .failure)
            }
        } catch {
            end("\(error)", status: ExitStatus(of: error))
        }
    }

    private static func end(_ message: String, status: ExitStatus) -> Never {
        ProcessExit.end("rocket_config_docs: \(message)", status: status.rawValue)
    }
}
