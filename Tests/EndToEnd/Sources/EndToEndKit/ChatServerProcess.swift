public import Foundation

/// A running chat_server on a port chosen by the kernel.
public final class ChatServerProcess: Sendable {
    /// The folder with its configuration.
    public let workspace: Workspace
    /// The port on 127.0.0.1.
    public let port: UInt16
    /// The process.
    public let child: ChildProcess

    /// Starts a server and waits for its ready line.
    public init(
        in workspace: Workspace, launcher: [String] = [], environment: [String: String] = [:],
        input: FileHandle? = nil
    ) throws {
        self.workspace = workspace
        let command = launcher + [Programs.path("chat_server"), workspace.configuration]
        child = try ChildProcess(
            command[0], Array(command.dropFirst()), in: workspace.path, environment: environment,
            input: input)
        guard let line = child.nextLine(), line.hasPrefix("chat_server is ready, listening on "),
            let digits = line.split(separator: ":").last, let port = UInt16(digits)
        else { throw NotReady(result: child.finish()) }
        self.port = port
    }

    /// Drains the server and waits for its exit.
    public func stop() -> ProcessResult {
        child.send(SIGTERM)
        return child.finish()
    }

    /// Waits until the log has `count` lines that contain `text`: a client is in the room once the
    /// log has its "client joined".
    ///
    /// - Returns: false if the lines are missing after five minutes.
    public func waits(for count: Int, of text: String) -> Bool {
        let deadline = Date().addingTimeInterval(300)
        while Date() < deadline {
            if workspace.logLines().filter({ $0.contains(text) }).count >= count { return true }
        }
        return false
    }
}

/// One side of a chat connection on a raw socket, with an encoder of its own.
public final class ChatConnection: Sendable {
    /// The socket.
    public let socket: RawConnection

    /// Connects to 127.0.0.1.
    public init(port: UInt16) throws { socket = try RawConnection(port: port) }

    /// The server side of an accepted connection.
    public init(_ socket: RawConnection) { self.socket = socket }

    /// Encodes one text: its length, then its bytes.
    public static func bytes(_ text: String) -> [UInt8] {
        let count = UInt32(text.utf8.count)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + Array(text.utf8)
    }

    /// Sends one text.
    public func send(_ text: String) throws { try socket.send(Self.bytes(text)) }

    /// Returns the next text; nil at the end of the stream.
    public func receive() throws -> String? {
        guard let header = try socket.receive(4) else { return nil }
        let count = header.reduce(0) { $0 << 8 | Int($1) }
        return try socket.receive(count).map { String(decoding: $0, as: UTF8.self) }
    }
}
