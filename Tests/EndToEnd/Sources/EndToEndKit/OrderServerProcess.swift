public import Foundation

/// A running order_server on a port chosen by the kernel.
public final class OrderServerProcess: Sendable {
    /// The folder with its configuration and store.
    public let workspace: Workspace
    /// The port on 127.0.0.1.
    public let port: UInt16
    /// Its ready line.
    public let readyLine: String
    /// The process.
    public let child: ChildProcess

    /// Starts a server and waits for its ready line.
    public init(
        in workspace: Workspace, launcher: [String] = [], environment: [String: String] = [:],
        input: FileHandle? = nil
    ) throws {
        self.workspace = workspace
        let command = launcher + [Programs.path("order_server"), workspace.configuration]
        child = try ChildProcess(
            command[0], Array(command.dropFirst()), in: workspace.path, environment: environment,
            input: input)
        guard let line = child.nextLine(), let digits = line.split(separator: ":").last,
            let port = UInt16(digits)
        else { throw NotReady(result: child.finish()) }
        readyLine = line
        self.port = port
    }

    /// `127.0.0.1:PORT`
    public var address: String { "127.0.0.1:\(port)" }

    /// Drains the server and waits for its exit. Closes these connections first: a draining server
    /// waits for its peers to close.
    public func stop(closing connections: RawConnection...) -> ProcessResult {
        for connection in connections { connection.finish() }
        child.send(SIGTERM)
        return child.finish()
    }

    /// kill -9.
    public func kill() {
        child.send(SIGKILL)
        _ = child.finish()
    }
}

/// The server exited before its ready line.
public struct NotReady: Error {
    /// Its exit status and output.
    public let result: ProcessResult
}
