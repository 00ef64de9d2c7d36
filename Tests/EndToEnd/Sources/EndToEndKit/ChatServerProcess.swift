public import Foundation

/// A running chat_server on a port that the kernel chose.
public final class ChatServerProcess: Sendable {
    /// Its folder and configuration.
    public let workspace: Workspace
    /// Where it listens on 127.0.0.1.
    public let port: UInt16
    /// The process itself.
    public let child: ChildProcess

    /// Starts one and waits for its ready line.
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
        else { throw NotReady(ending: child.finish()) }
        self.port = port
    }

    /// Asks it to drain and waits for its end.
    public func stop() -> Ending {
        child.send(SIGTERM)
        return child.finish()
    }

    /// Lets `count` lines with these words come into the log: who is told to have joined is in
    /// the room. Gives up after a while.
    public func waits(for count: Int, of words: String) -> Bool {
        let deadline = Date().addingTimeInterval(20)
        while Date() < deadline {
            if workspace.logLines().filter({ $0.contains(words) }).count >= count { return true }
        }
        return false
    }
}

/// A chat client as a plain socket: the bytes of the wire format, written by hand.
public final class ChatConnection: Sendable {
    /// The socket.
    public let socket: RawConnection

    /// Connects to 127.0.0.1.
    public init(port: UInt16) throws { socket = try RawConnection(port: port) }

    /// The server's side of a connection that a client made.
    public init(_ socket: RawConnection) { self.socket = socket }

    /// Length, then text.
    public static func bytes(_ text: String) -> [UInt8] {
        let count = UInt32(text.utf8.count)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + Array(text.utf8)
    }

    /// Sends one text.
    public func say(_ text: String) throws { try socket.send(Self.bytes(text)) }

    /// The next text; nil at the end of the stream.
    public func hear() throws -> String? {
        guard let header = try socket.receive(4) else { return nil }
        let count = header.reduce(0) { $0 << 8 | Int($1) }
        return try socket.receive(count).map { String(decoding: $0, as: UTF8.self) }
    }
}
