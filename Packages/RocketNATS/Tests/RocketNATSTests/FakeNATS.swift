import RocketBase
import RocketNATS
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

/// A client on a hand-driven loop, and what it reports.
final class ClientScene {
    let driven: HandDrivenLoop
    let listener: RawListener
    private(set) var client: NATSClient
    private let record: Record
    /// The server's end of the last connection.
    var peer: RawPeer?

    final class Record {
        var events: [String] = []
        var waits: [Duration] = []

        func add(_ event: NATSClient.Event) {
            switch event {
            case .connected(let info): events.append("connected \(info.serverName)")
            case .down(let loss, let wasConnected, let wait):
                events.append((wasConnected ? "lost: " : "failed: ") + loss.description)
                waits.append(wait)
            case .serverError(let text): events.append("error: \(text)")
            case .stopped: events.append("stopped")
            }
        }
    }

    var events: [String] { record.events }
    var waits: [Duration] { record.waits }

    init(_ change: (inout NATSConfiguration) throws -> Void = { _ in }) throws {
        driven = try HandDrivenLoop()
        listener = try RawListener()
        try listener.listen()
        var configuration = NATSConfiguration(servers: [.address(listener.address)])
        try change(&configuration)
        let record = Record()
        self.record = record
        client = try NATSClient(configuration, on: driven.reactor) { record.add($0) }
    }

    /// Runs the loop until nothing happens any more; the kernel may need a moment for loopback.
    func settle() {
        var idle = 0
        for _ in 0..<10_000 where idle < 3 { idle = driven.tick().isIdle ? idle + 1 : 0 }
    }

    static let info = #"INFO {"server_name":"one","max_payload":1048576}"# + "\r\n"

    /// Sends texts as the server.
    func send(_ text: String) {
        peer?.sendAll(Array(text.utf8))
        settle()
    }

    /// What the client has sent since the last time.
    func sent() -> String {
        settle()
        return String(decoding: peer?.receiveAll() ?? [], as: UTF8.self)
    }

    func accept() throws {
        settle()
        let accepted = try #require(listener.accept())
        peer = accepted
    }

    /// Connects as far as the first `PONG`, and returns what the client has sent.
    @discardableResult
    func connect(info: String = ClientScene.info) throws -> String {
        client.start()
        try accept()
        send(info)
        let greeting = sent()
        send("PONG\r\n")
        return greeting
    }

    func end() {
        client.stop()
        settle()
        peer = nil
        settle()
        driven.tick(after: .seconds(10))
        settle()
        #expect(events.last == "stopped")
    }
}
