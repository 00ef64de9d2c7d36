import RocketBase
import RocketReactorTestKit
@_spi(Transport) import RocketRPC
import RocketTCP

@testable import RocketGRPC

/// A server's connection of HTTP/1.1 between a client's bytes and a fake RPC side. Its method
/// `a.S.unary` takes an Int64Value and returns a Duration.
final class HTTP1Rig {
    let loop: HandDrivenLoop
    let below = FakeBelow()
    let rpc = FakeRPC()
    let connection: HTTP1ServerConnection

    init(
        _ configuration: GRPCServerConfiguration = GRPCServerConfiguration(),
        maxFrameBytes: Int = 4 << 20, hosts: [String] = [], at address: String = "unix:/x"
    ) throws {
        loop = try HandDrivenLoop()
        below.localAddress = try NetAddress(parsing: address)
        connection = HTTP1ServerConnection(
            GRPCServerWire(configuration), for: rpc,
            .test(
                ["a.S.unary": .unary, "a.S.server": .serverStreaming], maxFrameBytes: maxFrameBytes),
            HTTP1Settings(
                requestTimeout: .seconds(30), idleTimeout: .seconds(60), hosts: hosts),
            on: loop.reactor)
        connection.connected(below)
        _ = rpc.takeEvents()
    }

    /// Receives text and runs ticks.
    func receive(_ text: String) { receive([UInt8](text.utf8)) }

    func receive(_ bytes: [UInt8]) {
        below.receive(bytes, connection)
        loop.tickUntilIdle()
    }

    /// A request of JSON.
    static func post(
        _ body: String = #""7""#, path: String = "/a.S/unary", type: String = "application/json",
        _ fields: String...
    ) -> String {
        "POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Type: \(type)\r\n"
            + fields.map { $0 + "\r\n" }.joined() + "Content-Length: \(body.utf8.count)\r\n\r\n"
            + body
    }

    /// Answers the call with a duration of 1.5 s.
    func answer(_ id: String = "1", info: String = "") {
        rpc.send(
            id, "a.S.unary", info: info, [8, 1, 16, 0x80, 0xCA, 0xB5, 0xEE, 1])
        loop.tickUntilIdle()
    }

    /// What has been sent since, with `|` for the ends of lines.
    func sent() -> String {
        String(decoding: below.take(), as: UTF8.self).split(
            separator: "\r\n", omittingEmptySubsequences: false
        ).joined(separator: "|")
    }

    /// The status of the one response that has been sent since.
    func status() -> String { String(sent().dropFirst(9).prefix(3)) }
}
