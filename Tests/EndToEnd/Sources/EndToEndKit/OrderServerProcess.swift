public import Foundation

/// A running order_server on a port that the kernel chose.
public final class OrderServerProcess: Sendable {
    /// Its folder, configuration and store.
    public let workspace: Workspace
    /// Where it listens on 127.0.0.1.
    public let port: UInt16
    /// Its ready line.
    public let readyLine: String
    /// The process itself.
    public let child: ChildProcess

    /// Starts one and waits for its ready line.
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
        else { throw NotReady(ending: child.finish()) }
        readyLine = line
        self.port = port
    }

    /// `127.0.0.1:PORT`
    public var address: String { "127.0.0.1:\(port)" }

    /// Asks it to drain and waits for its end. A server gives its peers time to close their
    /// side; these do so at once.
    public func stop(closing connections: RawConnection...) -> Ending {
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

/// The server ended instead of getting ready.
public struct NotReady: Error {
    /// How it ended.
    public let ending: Ending
}
