import Foundation

/// A temporary folder with a configuration; removed with the last reference.
public final class Workspace: Sendable {
    /// The folder.
    public let path: String
    /// `rocket.xml` in it.
    public var configuration: String { path + "/rocket.xml" }
    /// The default path of order_server's store.
    public var store: String { path + "/var/orders.sqlite" }

    /// Writes a configuration in the format of the original. `stubs` are names and ports on this
    /// machine.
    public init(
        port: UInt16 = 0, stubs: [String: UInt16] = [:], sections: String = ""
    ) throws {
        path = NSTemporaryDirectory() + "rocket-e2e-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
        let entries = stubs.map { name, port in
            """
                <rpc_server>
                  <name>\(name)</name><ip>127.0.0.1</ip><port>\(port)</port>
                  <timeout>10000</timeout>
                </rpc_server>
            """
        }
        try write(
            """
            <?xml version="1.0" encoding="UTF-8" ?>
            <root>
              <log>
                <log_level>DEBUG</log_level>
                <log_file_name>order_server</log_file_name>
                <log_file_path>log/</log_file_path>
                <log_max_file_size>1000000000</log_max_file_size>
                <log_sync_interval>10</log_sync_interval>
              </log>
              <server>
                <port>\(port)</port>
                <io_threads>2</io_threads>
              </server>
              <stubs>
            \(entries.joined(separator: "\n"))
              </stubs>
            \(sections)
            </root>
            """)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Replaces the configuration.
    public func write(_ xml: String) throws {
        try xml.write(toFile: configuration, atomically: true, encoding: .utf8)
    }

    /// Returns every line of every log file. Complete once the server has exited.
    public func logLines() -> [String] {
        let folder = path + "/log"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().flatMap { name in
            let text = (try? String(contentsOfFile: folder + "/" + name, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").map(String.init)
        }
    }
}
