import Foundation
import RocketBase
import RocketBaseTestKit
import RocketNATS
import RocketReactorTestKit
import RocketTCP
import RocketTCPTestKit
import Testing

@testable import ChatServerKit

/// A nats-server of Debian's package on a port that the kernel has chosen, until it is killed.
private final class RunningNATS {
    static let program = "/usr/sbin/nats-server"
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }
    private let folder = NSTemporaryDirectory() + "rocket-chat-nats-" + UUID().uuidString
    private var process: RunningProgram?
    private var port = -1
    private let configuration: String?

    /// - Parameter configuration: the text of a configuration file; nil: none.
    init(_ configuration: String? = nil) throws {
        self.configuration = configuration
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        let process = try start()
        let file = folder + "/nats-server_\(process.id).ports"
        struct Ports: Decodable { let nats: [String] }
        while port < 0 {
            try #require(process.isRunning, "nats-server has not started")
            Thread.sleep(forTimeInterval: 0.002)
            guard let data = FileManager.default.contents(atPath: file) else { continue }
            let ports = try? JSONDecoder().decode(Ports.self, from: data)
            port = ports?.nats.first.flatMap(URL.init(string:))?.port ?? -1
        }
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Starts it, a second time on the same port.
    @discardableResult
    func start() throws -> RunningProgram {
        var words = [Self.program, "-a", "127.0.0.1", "-p", "\(port)", "--ports_file_dir", folder]
        if let configuration {
            let file = folder + "/nats.conf"
            try Data(configuration.utf8).write(to: URL(filePath: file))
            words += ["-c", file]
        }
        let process = try RunningProgram(words)
        self.process = process
        return process
    }

    func kill() {
        process?.send(SIGKILL)
        process?.wait()
        process = nil
    }

    var url: String { "nats://127.0.0.1:\(port)" }

    /// A client that publishes these payloads, and has been answered.
    func publish(_ payloads: [[UInt8]], to subject: String) throws {
        let peer = try RawPeer(connectingTo: .loopback(port: UInt16(clamping: port)))
        var bytes = Array("CONNECT {\"verbose\":false}\r\n".utf8)
        for payload in payloads {
            bytes += Array("PUB \(subject) \(payload.count)\r\n".utf8) + payload + [13, 10]
        }
        peer.sendAll(bytes + Array("PING\r\n".utf8))
        var received = ""
        while !received.hasSuffix("PONG\r\n") {
            let more = peer.receive(exactly: 1)
            if more.isEmpty { break }
            received += String(decoding: more, as: UTF8.self)
        }
    }
}

@Suite(.serialized, .ownThread, .enabled(if: RunningNATS.isInstalled)) struct NATSBackplaneTests {
    private func backplane(_ nats: RunningNATS, _ name: String) throws -> ChatBackplaneConfiguration
    {
        var configuration = ChatBackplaneConfiguration(
            nats: NATSConfiguration(try NATSURL(parsing: nats.url)), serverName: name)
        configuration.heartbeat = .milliseconds(20)
        configuration.lossNoticeAfter = .milliseconds(20)
        configuration.nats.backOff.most = .milliseconds(100)
        return configuration
    }

    /// Runs chats of these names over one NATS, until they know each other.
    private func withChats(
        _ nats: RunningNATS, _ names: [String], running: [RunningChat] = [],
        _ body: ([RunningChat]) async throws -> Void
    ) async throws {
        guard let name = names.dropFirst(running.count).first else {
            for chat in running {
                await chat.server.backplaneStatistics {
                    $0.isConnected && $0.servers == names.count - 1
                }
            }
            return try await body(running)
        }
        let configuration = try backplane(nats, name)
        try await withChat({ $0.backplane = configuration }) { chat in
            try await withChats(nats, names, running: running + [chat], body)
        }
    }

    @Test("Messages reach the clients of all servers, once, in the order of each sender")
    func sharing() async throws {
        let nats = try RunningNATS()
        try await withChats(nats, ["a", "b", "c"]) { chats in
            var peers: [ChatPeer] = []
            for chat in chats { peers += try await chat.join(2) }
            let count = 300
            for number in 0..<count {
                for (index, peer) in peers.enumerated() where index % 2 == 0 {
                    peer.send("\(number)")
                }
            }
            for (index, peer) in peers.enumerated() {
                let senders = ["a", "b", "c"].enumerated().filter { $0.offset * 2 != index }
                let texts = peer.receive(count * senders.count)
                for (_, server) in senders {
                    let prefix = "from: client1@\(server): "
                    #expect(
                        texts.filter { $0.hasPrefix(prefix) }
                            == (0..<count).map { "\(prefix)\($0)" })
                }
                #expect(texts.count == count * senders.count)
            }
            for chat in chats {
                let statistics = try #require(chat.server.statistics.backplane)
                #expect(statistics.sentMessages == count)
                #expect(statistics.receivedMessages == 2 * count)
                #expect(statistics.missingMessages + statistics.unsentMessages == 0)
            }
        }
    }

    @Test("While NATS is lost the chat goes on locally and says so; afterwards what is missing")
    func loss() async throws {
        let nats = try RunningNATS()
        try await withChats(nats, ["a", "b"]) { chats in
            let near = try await chats[0].join(2)
            let far = try await chats[1].join()
            near[0].send("before")
            #expect(far.receive() == "from: client1@a: before")
            #expect(near[1].receive() == "from: client1@a: before")
            nats.kill()
            for peer in near + [far] { #expect(peer.receive() == ChatMessage.serversLostNotice) }
            for number in 1...3 { near[0].send("local \(number)") }
            #expect(near[1].receive(3) == (1...3).map { "from: client1@a: local \($0)" })
            let late = try await chats[0].join()
            #expect(late.receive() == ChatMessage.serversLostNotice)
            try nats.start()
            for peer in near + [far, late] {
                #expect(peer.receive() == ChatMessage.serversBackNotice)
            }
            #expect(far.receive() == "3 messages missing (of server a)")
            far.send("hello")
            #expect(near[0].receive() == "from: client1@b: hello")
            near[0].send("after")
            #expect(far.receive() == "from: client1@a: after")
            #expect(chats[0].server.statistics.backplane?.unsentMessages == 3)
            #expect(chats[1].server.statistics.backplane?.missingMessages == 3)
        }
    }

    @Test("A room that NATS does not permit is not shared, and members are told")
    func notPermitted() async throws {
        let nats = try RunningNATS(
            """
            authorization { users: [ { user: u, password: p, permissions: {
                publish: "other", subscribe: "other" } } ] }
            no_auth_user: u
            """)
        let configuration = try backplane(nats, "a")
        try await withChat({ $0.backplane = configuration }) { chat in
            let peer = try await chat.join()
            #expect(peer.receive() == ChatMessage.serversLostNotice)
            #expect(chat.server.statistics.backplane?.isConnected == false)
        }
    }

    @Test("Of two servers with one name the later one takes another")
    func names() async throws {
        let nats = try RunningNATS()
        try await withChats(nats, ["same", "same"]) { chats in
            await chats[1].server.backplaneStatistics { $0.serverName != "same" }
            let peers = [try await chats[0].join(), try await chats[1].join()]
            peers[0].send("x")
            #expect(peers[1].receive() == "from: client1@same: x")
            peers[1].send("y")
            let text = try #require(peers[0].receive())
            #expect(text.hasPrefix("from: client1@same-") && text.hasSuffix(": y"))
        }
    }

    @Test("A server that drains passes on what it has received, and says how much there was")
    func draining() async throws {
        let nats = try RunningNATS()
        try await withChats(nats, ["a"]) { chats in
            let reader = try await chats[0].join()
            let configuration = try backplane(nats, "b")
            try await withChat({ $0.backplane = configuration }) { other in
                await chats[0].server.backplaneStatistics { $0.servers == 1 }
                let writer = try await other.join()
                for number in 0..<100 { writer.send("\(number)") }
                // What the server has not read when it drains is not passed on.
                await other.server.backplaneStatistics { $0.sentMessages == 100 }
                #expect(reader.receive() == "from: client1@b: 0")
            }
            let texts = reader.receive(99)
            #expect(texts == (1..<100).map { "from: client1@b: \($0)" })
            #expect(chats[0].server.statistics.backplane?.missingMessages == 0)
        }
    }

    @Test("What others publish is dropped if it is malformed, and does no harm whatever it says")
    func strangers() async throws {
        let nats = try RunningNATS()
        try await withChats(nats, ["a"]) { chats in
            let peer = try await chats[0].join()
            func bytes(_ header: BackplaneHeader, _ messages: [UInt8] = []) -> [UInt8] {
                var buffer = ByteBuffer()
                header.encode(into: &buffer)
                return buffer.copyBytes() + messages
            }
            let ids = [1, 2].map { ChatServerID(began: $0, random: 0) }
            var payloads: [[UInt8]] = [[], Array("hello".utf8)]
            for id in ids {
                payloads.append(
                    bytes(BackplaneHeader(kind: .hello, server: id, number: 0, name: "x")))
                payloads.append(
                    bytes(BackplaneHeader(kind: .hello, server: id, number: .max, name: "x")))
            }
            let header = BackplaneHeader(
                kind: .messages, server: ChatServerID(began: 3, random: 0), number: 0, count: 2)
            payloads.append(bytes(header, ChatPeer.bytes("one")))
            payloads.append(bytes(header, ChatPeer.bytes("one") + [0, 0, 0, 9, 1]))
            payloads.append(bytes(header, ChatPeer.bytes("one") + ChatPeer.bytes([0xFF])))
            payloads.append(bytes(header, ChatPeer.bytes("one") + ChatPeer.bytes("two")))
            try nats.publish(payloads, to: "rocket.chat.main")
            let missing = "\(UInt64.max) messages missing (of server x)"
            #expect(peer.receive(4) == [missing, missing, "one", "two"])
            let statistics = chats[0].server.statistics.backplane
            #expect(statistics?.droppedMessages == 5)
            #expect(statistics?.missingMessages == .max)
        }
    }

    @Test("A server starts without NATS, and serves")
    func withoutNATS() async throws {
        let nats = try RunningNATS()
        let configuration = try backplane(nats, "a")
        nats.kill()
        try await withChat({ $0.backplane = configuration }) { chat in
            let first = try await chat.join()
            let second = try await chat.join()
            for peer in [first, second] {
                #expect(peer.receive() == ChatMessage.serversLostNotice)
            }
            first.send("x")
            #expect(second.receive() == "from: client1@a: x")
            try nats.start()
            await chat.server.backplaneStatistics { $0.isConnected }
            #expect(second.receive() == ChatMessage.serversBackNotice)
        }
    }
}
