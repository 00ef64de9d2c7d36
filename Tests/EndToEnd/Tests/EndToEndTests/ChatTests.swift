import EndToEndKit
import Foundation
import Testing

/// chat_server and chat_client as programs, against the wire written by hand.
struct ChatTests {
    @Test(
        "What one plain socket says all others hear, by name, and the log tells who came and went")
    func plainSockets() throws {
        let server = try ChatServerProcess(in: Workspace())
        let clients = try (0..<3).map { _ in try ChatConnection(port: server.port) }
        #expect(server.waits(for: 3, of: "client joined"))
        try clients[0].say("hello")
        #expect(try clients[1].hear() == "from: client1: hello")
        #expect(try clients[2].hear() == "from: client1: hello")
        try clients[2].say("世界")
        #expect(try clients[0].hear() == "from: client3: 世界")
        clients[1].socket.finish()
        #expect(server.waits(for: 1, of: "client left name=client2"))
        for client in clients { client.socket.finish() }
        let ending = server.stop()
        #expect(ending.status == 0 && ending.errors.isEmpty, "\(ending)")
        #expect(ending.output == "chat_server has drained\n")
    }

    @Test("Draining sends what was said before to everybody")
    func draining() throws {
        let server = try ChatServerProcess(in: Workspace())
        let speaker = try ChatConnection(port: server.port)
        let listener = try ChatConnection(port: server.port)
        #expect(server.waits(for: 2, of: "client joined"))
        for number in 0..<500 { try speaker.say("m\(number)") }
        #expect(try listener.hear() == "from: client1: m0")
        server.child.send(SIGTERM)
        var heard = 1
        while let text = try listener.hear() {
            #expect(text == "from: client1: m\(heard)")
            heard += 1
        }
        for client in [speaker, listener] { client.socket.finish() }
        #expect(server.child.finish().status == 0)
    }

    @Test("SIGHUP takes over the chat's limits while clients talk")
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
        try clients[0].say("12345")
        #expect(try clients[1].hear() == "from: client1: 12345")
        try clients[0].say("123456")
        #expect(try clients[0].hear() == nil)
        for client in clients { client.socket.finish() }
        #expect(server.stop().status == 0)
        #expect(workspace.logLines().contains { $0.contains("found 6, allowed 0 to 5") })
    }

    @Test("The port is the original's where the configuration names none")
    func defaultPort() throws {
        let workspace = try Workspace()
        try workspace.write("<root><server><io_threads>1</io_threads></server></root>")
        let ending = try Programs.run("chat_server", ["--check-config", workspace.configuration])
        #expect(ending.status == 0, "\(ending)")
        #expect(ending.output.contains(#/server/port +9999 /#))
    }

    @Test("A script's lines are messages, and what arrives are its lines")
    func script() throws {
        let server = try ChatServerProcess(in: Workspace())
        let listener = try ChatConnection(port: server.port)
        #expect(server.waits(for: 1, of: "client joined"))
        let script = server.workspace.path + "/script"
        try "one\n\ntwo words\nlast".write(toFile: script, atomically: true, encoding: .utf8)
        let ending = try ChildProcess(
            Programs.path("chat_client"), ["127.0.0.1", "\(server.port)"],
            input: FileHandle(forReadingAtPath: script)
        ).finish()
        #expect(ending.status == 0, "\(ending)")
        for text in ["one", "", "two words", "last"] {
            #expect(try listener.hear() == "from: client2: \(text)")
        }
        listener.socket.finish()
        #expect(server.stop().status == 0)
    }

    @Test("What a server of the same wire says is printed, one line for each message")
    func printing() throws {
        let listener = try TakenPort(isListening: true)
        let child = try ChildProcess(
            Programs.path("chat_client"), ["127.0.0.1", "\(listener.port)"])
        let server = ChatConnection(try listener.accept())
        try server.say("from: client7: hi")
        try server.say("from: client8: two\nlines \u{1B}[2J")
        // It has nothing to read: the client ends its side, and waits for ours.
        #expect(try server.hear() == nil)
        server.socket.finish()
        let ending = child.finish()
        #expect(ending.status == 0, "\(ending)")
        #expect(
            ending.output == "from: client7: hi\nfrom: client8: two\\nlines \\u{1B}[2J\n")
    }

    @Test("Nobody there is one clear line")
    func refused() throws {
        let taken = try TakenPort(isListening: false)
        let ending = try Programs.run("chat_client", ["127.0.0.1", "\(taken.port)"])
        #expect(ending.isOneClearLine, "\(ending)")
        #expect(ending.errors.contains("refused") && ending.errors.contains("\(taken.port)"))
    }

    @Test("A lost connection is told, and made again if asked for")
    func reconnecting() throws {
        let listener = try TakenPort(isListening: true)
        let silence = Pipe()
        let arguments = ["127.0.0.1", "\(listener.port)"]
        let plain = try ChildProcess(
            Programs.path("chat_client"), arguments, input: silence.fileHandleForReading)
        try listener.accept().finish()
        let end = plain.finish()
        #expect(end.status == 1, "\(end)")
        #expect(end.errors.hasSuffix("chat_client: the connection is lost: the peer closed\n"))

        let again = try ChildProcess(
            Programs.path("chat_client"), arguments + ["--reconnect"],
            input: silence.fileHandleForReading)
        try listener.accept().finish()
        let told = again.errorLines(through: "is lost").last
        #expect(told?.contains("the peer closed; trying again in ") == true)
        let server = ChatConnection(try listener.accept())
        try server.say("from: client1: back")
        #expect(again.nextLine() == "from: client1: back")
    }

    @Test(
        "A service manager is told, and sockets that it hands over under the name chat are served")
    func serviceManager() throws {
        let workspace = try Workspace()
        let manager = try FakeServiceManager(in: workspace)
        let socket = try TakenPort(isListening: true)
        let server = try ChatServerProcess(
            in: workspace, launcher: FakeServiceManager.activation(names: "chat"),
            environment: manager.environment, input: socket.handedOver())
        #expect(server.port == socket.port)
        let figures = "0 sessions, 0 bytes wait for slow receivers, 0 messages dropped"
        #expect(try manager.next() == ["READY=1", "STATUS=" + figures])
        let client = try ChatConnection(port: server.port)
        #expect(try manager.next("STATUS=1 sessions").count == 1)
        server.child.send(SIGTERM)
        #expect(try manager.next("STOPPING=1") == ["STOPPING=1", "STATUS=draining"])
        client.socket.finish()
        #expect(server.child.finish().status == 0)
    }
}
