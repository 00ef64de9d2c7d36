import Foundation
import RocketBase
import RocketBaseTestKit
import RocketReactor
import RocketReactorTestKit
import RocketTCP
import RocketTCPTestKit
import RocketTLS
import RocketTLSTestKit
import Testing

@testable import RocketNATS

/// A nats-server of Debian's package on a port that the kernel has chosen, until it is killed.
final class RealNATS {
    static let program = "/usr/sbin/nats-server"
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }
    fileprivate let folder: String
    private var process: RunningProgram?
    private(set) var port = -1

    init(_ options: [String] = [], configuration: String? = nil) throws {
        folder = NSTemporaryDirectory() + "rocket-real-nats-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        var options = options
        if let configuration {
            let file = folder + "/nats.conf"
            try Data(configuration.utf8).write(to: URL(filePath: file))
            options += ["-c", file]
        }
        self.options = options
        try start()
    }

    private let options: [String]

    deinit {
        kill()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Starts it, a second time on the port of the first.
    func start() throws {
        let process = try RunningProgram(
            [Self.program, "-a", "127.0.0.1", "-p", "\(port)", "--ports_file_dir", folder] + options
        )
        self.process = process
        if port > 0 { return }
        // Written when it listens.
        let file = folder + "/nats-server_\(process.id).ports"
        struct Ports: Decodable { let nats: [String] }
        while process.isRunning {
            if let data = FileManager.default.contents(atPath: file),
                let ports = try? JSONDecoder().decode(Ports.self, from: data),
                let found = ports.nats.first.flatMap(URL.init(string:))?.port
            {
                port = found
                return
            }
            Thread.sleep(forTimeInterval: 0.002)
        }
        throw CocoaError(.fileNoSuchFile)
    }

    func send(_ signal: Int32) { process?.send(signal) }

    func kill() {
        process?.send(SIGKILL)
        process?.wait()
        process = nil
    }

    var servers: [NATSServer] { [.address(.loopback(port: UInt16(clamping: port)))] }
}

/// Clients of a real server on one loop with a manual clock.
private final class RealScene {
    let driven: HandDrivenLoop
    private(set) var clients: [NATSClient] = []
    var events: [String] = []

    init() throws { driven = try HandDrivenLoop() }

    func add(
        _ servers: [NATSServer], _ change: (inout NATSConfiguration) throws -> Void = { _ in }
    ) throws -> NATSClient {
        var configuration = NATSConfiguration(servers: servers)
        try change(&configuration)
        let client = try NATSClient(configuration, on: driven.reactor) { [unowned self] event in
            switch event {
            case .connected: events.append("connected")
            case .down(let loss, _, _): events.append("down \(loss)")
            case .serverError(let text): events.append("error \(text)")
            case .stopped: events.append("stopped")
            }
        }
        client.start()
        clients.append(client)
        return client
    }

    /// Runs the loop until the condition holds, at most for 300,000 ticks that wait for events.
    func run(until condition: () -> Bool) {
        for _ in 0..<300_000 where !condition() {
            driven.clock.advance(by: .milliseconds(1))
            driven.loop.tick(waitingAtMost: .milliseconds(1))
        }
        #expect(condition())
    }

    func end() {
        for client in clients { client.stop() }
        run { events.filter { $0 == "stopped" }.count == clients.count }
    }
}

@Suite(.oneAtATime, .enabled(if: RealNATS.isInstalled)) struct RealNATSTests {
    @Test("Messages reach subscribers in their order; the server may be killed meanwhile")
    func life() throws {
        let server = try RealNATS()
        let scene = try RealScene()
        let publisher = try scene.add(server.servers)
        let subscriber = try scene.add(server.servers)
        var received: [String] = []
        try subscriber.subscribe(NATSSubject("chat.>")) { message, bytes in
            received.append(
                String(decoding: Array(copying: bytes.extracting(message.payload)), as: UTF8.self))
        }
        scene.run { publisher.isConnected && subscriber.isConnected }
        #expect(subscriber.serverInfo?.version.isEmpty == false)
        let subject = try NATSSubject("chat.main")
        var sent: [String] = []
        func publish(_ text: String) {
            if publisher.publish(subject, Array(text.utf8).span.bytes) == .taken {
                sent.append(text)
            }
        }
        for number in 0..<2000 { publish("\(number)") }
        scene.run { received.count == 2000 }
        #expect(received == sent)
        server.kill()
        scene.run { !publisher.isConnected && !subscriber.isConnected }
        publish("lost")
        #expect(publisher.statistics.refusedNotConnected == 1)
        try server.start()
        scene.run { publisher.isConnected && subscriber.isConnected }
        publish("again")
        scene.run { received.last == "again" }
        #expect(received == sent)
        var isAnswered = false
        publisher.roundTrip { isAnswered = $0 }
        scene.run { isAnswered }
        scene.end()
    }

    @Test("A message of the server's largest payload arrives, a longer one is refused here")
    func largest() throws {
        let server = try RealNATS()
        let scene = try RealScene()
        let client = try scene.add(server.servers)
        var received = 0
        try client.subscribe(NATSSubject("a")) { message, _ in received = message.payload.count }
        scene.run { client.isConnected }
        let limit = try #require(client.serverInfo?.maxPayloadBytes)
        let subject = try NATSSubject("a")
        let outcome = client.publish(subject, [UInt8](repeating: 1, count: limit + 1).span.bytes)
        #expect(outcome == .tooLarge(limit: limit))
        client.publish(subject, [UInt8](repeating: 1, count: limit).span.bytes)
        scene.run { received == limit }
        scene.end()
    }

    @Test("Own messages are not delivered without echo")
    func echo() throws {
        let server = try RealNATS()
        let scene = try RealScene()
        let client = try scene.add(server.servers) { $0.echo = false }
        var received = 0
        try client.subscribe(NATSSubject("a")) { _, _ in received += 1 }
        scene.run { client.isConnected }
        try client.publish(NATSSubject("a"), [1].span.bytes)
        var isAnswered = false
        client.roundTrip { isAnswered = $0 }
        scene.run { isAnswered }
        #expect(received == 0)
        scene.end()
    }

    private static let seed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"

    @Test("Token, password and NKEY are taken, and wrong ones are refused with the server's text")
    func credentials() throws {
        let key = try NATSKey(seed: Self.seed)
        let cases: [(String, NATSCredentials)] = [
            ("authorization { token: \"s3 cret\" }", .token("s3 cret")),
            (
                "authorization { user: me, password: \"p\\\"w\" }",
                .user("me", password: "p\"w")
            ),
            ("authorization { users: [ { nkey: \(key.publicKey) } ] }", .key(key)),
        ]
        for (configuration, credentials) in cases {
            let server = try RealNATS(configuration: configuration)
            let scene = try RealScene()
            let right = try scene.add(server.servers) { $0.credentials = credentials }
            scene.run { right.isConnected }
            let wrong = try scene.add(server.servers) { $0.credentials = .token("wrong") }
            scene.run { wrong.statistics.failures > 0 }
            #expect(scene.events.contains("error Authorization Violation"))
            scene.end()
        }
    }

    @Test("TLS is begun behind the INFO, with the server's certificate checked")
    func security() throws {
        let certificates = try Certificates()
        let identity = certificates.authority.issue("nats")
        let server = try RealNATS(
            configuration:
                "tls { cert_file: \"\(identity.certificate)\", key_file: \"\(identity.key)\" }")
        let scene = try RealScene()
        let security = try certificates.client()
        let client = try scene.add(server.servers) { $0.security = security }
        var received = 0
        try client.subscribe(NATSSubject("a")) { message, _ in received += message.payload.count }
        scene.run { client.isConnected }
        for _ in 0..<100 {
            try client.publish(NATSSubject("a"), [UInt8](repeating: 7, count: 10_000).span.bytes)
        }
        scene.run { received == 1_000_000 }
        let other = try Certificates().client()
        let suspicious = try scene.add(server.servers) { $0.security = other }
        scene.run { suspicious.statistics.failures > 0 }
        #expect(scene.events.contains { $0.contains("TLS certificate") }, "\(scene.events)")
        let plain = try scene.add(server.servers)
        scene.run { plain.statistics.failures > 0 }
        #expect(scene.events.contains { $0.contains("requires TLS") }, "\(scene.events)")
        scene.end()
    }

    @Test(
        "Servers that are named before the handshake of TLS are not used: anybody may have named them"
    )
    func namedInPlaintext() throws {
        let certificates = try Certificates()
        let identity = certificates.authority.issue("nats")
        let tls =
            "tls { cert_file: \"\(identity.certificate)\", key_file: \"\(identity.key)\" }"
        let (first, second) = try RealNATS.cluster(configuration: tls)
        var info = ""
        while !info.contains("127.0.0.1:\(second.port)") {
            let peer = try RawPeer(connectingTo: .loopback(port: UInt16(clamping: first.port)))
            info = ""
            while !info.hasSuffix("\r\n") {
                info += String(decoding: peer.receive(exactly: 1), as: UTF8.self)
            }
        }
        let scene = try RealScene()
        let security = try certificates.client()
        let client = try scene.add(first.servers) { $0.security = security }
        scene.run { client.isConnected }
        #expect(client.servers == first.servers)
        scene.end()
    }

    @Test("A server of a cluster that shuts down is left before it ends")
    func shutdown() throws {
        let (first, second) = try RealNATS.cluster()
        let scene = try RealScene()
        let client = try scene.add(first.servers)
        var received = 0
        try client.subscribe(NATSSubject("a")) { _, _ in received += 1 }
        scene.run { client.isConnected && client.servers.contains(second.servers[0]) }
        // "Lame duck mode"
        first.send(SIGUSR2)
        scene.run { client.statistics.connections == 2 }
        #expect(scene.events == ["connected", "connected"])
        try client.publish(NATSSubject("a"), [1].span.bytes)
        scene.run { received == 1 }
        scene.end()
    }

    @Test("The servers of a cluster are found by one of them, and used when that one is gone")
    func cluster() throws {
        let (first, second) = try RealNATS.cluster()
        let scene = try RealScene()
        let client = try scene.add(first.servers)
        scene.run { client.isConnected && client.servers.contains(second.servers[0]) }
        first.kill()
        scene.run { !client.isConnected }
        scene.run { client.isConnected }
        scene.end()
    }
}

extension RealNATS {
    /// Two servers, the second one with a route to the first.
    static func cluster(configuration: String? = nil) throws -> (RealNATS, RealNATS) {
        let options = ["--cluster_name", "c", "--cluster", "nats://127.0.0.1:-1"]
        let first = try RealNATS(options, configuration: configuration)
        let route = try #require(first.clusterPort)
        let routes = ["--routes", "nats://127.0.0.1:\(route)"]
        return (first, try RealNATS(options + routes, configuration: configuration))
    }

    /// The port of its cluster, chosen by the kernel.
    var clusterPort: Int? {
        struct Ports: Decodable { let cluster: [String]? }
        guard
            let name = try? FileManager.default.contentsOfDirectory(atPath: folder)
                .first(where: { $0.hasSuffix(".ports") }),
            let data = FileManager.default.contents(atPath: "\(folder)/\(name)"),
            let ports = try? JSONDecoder().decode(Ports.self, from: data)
        else { return nil }
        return ports.cluster?.first.flatMap(URL.init(string:))?.port
    }
}
