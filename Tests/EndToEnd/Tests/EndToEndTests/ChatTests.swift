import EndToEndKit
import Foundation
import Testing

/// chat_server and chat_client, each against an independent implementation of the wire format.
struct ChatTests {
    @Test(
        "Sends each message to all other sockets, with the sender's name, and logs joins and leaves"
    )
    func plainSockets() throws {
        let server = try ChatServerProcess(in: Workspace())
        let clients = try (0..<3).map { _ in try ChatConnection(port: server.port) }
        #expect(server.waits(for: 3, of: "client joined"))
        try clients[0].send("hello")
        #expect(try clients[1].receive() == "from: client1: hello")
        #expect(try clients[2].receive() == "from: client1: hello")
        try clients[2].send("世界")
        #expect(try clients[0].receive() == "from: client3: 世界")
        clients[1].socket.finish()
        #expect(server.waits(for: 1, of: "client left name=client2"))
        for client in clients { client.socket.finish() }
        let result = server.stop()
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        #expect(result.output == "chat_server has drained\n")
    }

    @Test("Draining delivers all messages that were received before")
    func draining() throws {
        let server = try ChatServerProcess(in: Workspace())
        let sender = try ChatConnection(port: server.port)
        let receiver = try ChatConnection(port: server.port)
        #expect(server.waits(for: 2, of: "client joined"))
        for number in 0..<500 { try sender.send("m\(number)") }
        #expect(try receiver.receive() == "from: client1: m0")
        server.child.send(SIGTERM)
        var count = 1
        while let text = try receiver.receive() {
            #expect(text == "from: client1: m\(count)")
            count += 1
        }
        for client in [sender, receiver] { client.socket.finish() }
        #expect(server.child.finish().status == 0)
    }

    @Test("SIGHUP applies new limits while clients are connected")
    func reload() throws {
        let workspace = try Workspace()
        let server = try ChatServerProcess(in: workspace)
        let clients = try (0..<2).map { _ in try ChatConnection(port: server.port) }
        #expect(server.waits(for: 2, of: "client joined"))
        let old = try String(contentsOfFile: workspace.configuration, encoding: .utf8)
        try workspace.write(
            old.replacing(
                "</root>", with: "<chat><max_message_bytes>5</max_message_bytes></chat></root>"))
        server.child.send(SIGHUP)
        #expect(server.waits(for: 1, of: "path=chat/max_message_bytes old=65536 new=5"))
        try clients[0].send("12345")
        #expect(try clients[1].receive() == "from: client1: 12345")
        try clients[0].send("123456")
        #expect(try clients[0].receive() == nil)
        for client in clients { client.socket.finish() }
        #expect(server.stop().status == 0)
        #expect(workspace.logLines().contains { $0.contains("found 6, allowed 0 to 5") })
    }

    @Test("The default port is that of LibeventMiniChat")
    func defaultPort() throws {
        let workspace = try Workspace()
        try workspace.write("<root><server><io_threads>1</io_threads></server></root>")
        let result = try Programs.run("chat_server", ["--check-config", workspace.configuration])
        #expect(result.status == 0, "\(result)")
        #expect(result.output.contains(#/server/port +9999 /#))
    }

    @Test("Sends each line of standard input as one message")
    func script() throws {
        let server = try ChatServerProcess(in: Workspace())
        let receiver = try ChatConnection(port: server.port)
        #expect(server.waits(for: 1, of: "client joined"))
        let script = server.workspace.path + "/script"
        try "one\n\ntwo words\nlast".write(toFile: script, atomically: true, encoding: .utf8)
        let result = try ChildProcess(
            Programs.path("chat_client"), ["127.0.0.1", "\(server.port)"],
            input: FileHandle(forReadingAtPath: script)
        ).finish()
        #expect(result.status == 0, "\(result)")
        for text in ["one", "", "two words", "last"] {
            #expect(try receiver.receive() == "from: client2: \(text)")
        }
        receiver.socket.finish()
        #expect(server.stop().status == 0)
    }

    @Test("A script of which a line was too long or refused ends with status 65")
    func undeliveredLines() throws {
        let server = try ChatServerProcess(in: Workspace())
        let receiver = try ChatConnection(port: server.port)
        #expect(server.waits(for: 1, of: "client joined"))
        let script = server.workspace.path + "/script"
        for (number, bad) in [Data(repeating: 0x78, count: 70_000), Data([0xFF])].enumerated() {
            try (bad + Data("\nlast\n".utf8)).write(to: URL(fileURLWithPath: script))
            let result = try ChildProcess(
                Programs.path("chat_client"), ["127.0.0.1", "\(server.port)"],
                input: FileHandle(forReadingAtPath: script)
            ).finish()
            #expect(result.status == 65 && !result.wasKilled, "\(result)")
            #expect(result.errors.hasSuffix("chat_client: 1 line was not delivered\n"), "\(result)")
            #expect(try receiver.receive() == "from: client\(number + 2): last")
        }
        receiver.socket.finish()
        #expect(server.stop().status == 0)
    }

    @Test("Prints each message of a server on one line")
    func printing() throws {
        let listener = try ReservedPort(isListening: true)
        let child = try ChildProcess(
            Programs.path("chat_client"), ["127.0.0.1", "\(listener.port)"])
        let server = ChatConnection(try listener.accept())
        // Two messages that arrive together.
        let other = "from: client8: two\nlines \u{1B}[2J \u{9B}2J \u{202E} \u{2028}"
        try server.socket.send(
            ChatConnection.bytes("from: client7: hi") + ChatConnection.bytes(other))
        // Standard input is empty: the client ends its stream, and waits for the end of ours.
        #expect(try server.receive() == nil)
        server.socket.finish()
        let result = child.finish()
        #expect(result.status == 0, "\(result)")
        #expect(
            result.output == "from: client7: hi\nfrom: client8: two\\nlines "
                + "\\u{1B}[2J \\u{9B}2J \\u{202E} \\u{2028}\n")
    }

    @Test("Prints one line when the connection is refused")
    func refused() throws {
        let taken = try ReservedPort(isListening: false)
        let result = try Programs.run("chat_client", ["127.0.0.1", "\(taken.port)"])
        #expect(result.isOneErrorLine && result.status == 69, "\(result)")
        #expect(result.errors.contains("refused") && result.errors.contains("\(taken.port)"))
    }

    @Test("Reports a lost connection, and connects again with --reconnect")
    func reconnecting() throws {
        let listener = try ReservedPort(isListening: true)
        let emptyInput = Pipe()
        let arguments = ["127.0.0.1", "\(listener.port)"]
        let plain = try ChildProcess(
            Programs.path("chat_client"), arguments, input: emptyInput.fileHandleForReading)
        try listener.accept().finish()
        let end = plain.finish()
        #expect(end.status == 69, "\(end)")
        #expect(end.errors.hasSuffix("chat_client: the connection is lost: the peer closed\n"))

        let again = try ChildProcess(
            Programs.path("chat_client"), arguments + ["--reconnect"],
            input: emptyInput.fileHandleForReading)
        try listener.accept().finish()
        let report = again.errorLines(through: "is lost").last
        #expect(report?.contains("the peer closed; trying again in ") == true)
        let server = ChatConnection(try listener.accept())
        try server.send("from: client1: back")
        #expect(again.nextLine() == "from: client1: back")
    }

    @Test(
        "Notifies the service manager, and serves the sockets that it passes under the name chat")
    func serviceManager() throws {
        let workspace = try Workspace()
        let manager = try FakeServiceManager(in: workspace)
        let socket = try ReservedPort(isListening: true)
        let server = try ChatServerProcess(
            in: workspace, launcher: FakeServiceManager.activation(names: "chat"),
            environment: manager.environment, input: socket.duplicate())
        #expect(server.port == socket.port)
        let status = "0 sessions, 0 bytes wait for slow receivers, 0 messages dropped"
        #expect(try manager.next() == ["READY=1", "STATUS=" + status])
        let client = try ChatConnection(port: server.port)
        #expect(try manager.next("STATUS=1 sessions").count == 1)
        server.child.send(SIGTERM)
        #expect(try manager.next("STOPPING=1") == ["STOPPING=1", "STATUS=draining"])
        client.socket.finish()
        #expect(server.child.finish().status == 0)
    }
}
