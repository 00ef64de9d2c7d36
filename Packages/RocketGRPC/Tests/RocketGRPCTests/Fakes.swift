import RocketBase
import RocketCodec
import RocketHTTP2
import RocketHTTP2TestKit
import RocketReactor
import RocketReactorTestKit
@_spi(Transport) @testable import RocketRPC
import RocketSystem
import RocketTCP
import SwiftProtobuf

@testable import RocketGRPC

/// The connection below the one under test: keeps what is written.
final class FakeBelow: Transport {
    var localAddress = NetAddress(.unnamed)
    var peerAddress: NetAddress { NetAddress(.unnamed) }
    var peerIdentity: PeerIdentity { .none }
    var sentBytes: UInt64 = 0
    var pendingBytes: Int { written.readableBytes }
    var isWritable = true
    var signalsReset: Bool { true }
    var negotiatedProtocol: String?
    var handlerBytes = 0
    private(set) var written = ByteBuffer()
    private(set) var closed: CloseReason?

    /// What the connection under test has not consumed.
    private(set) var input = ByteBuffer()

    func readInput(_ body: (inout ByteBuffer) -> Void) { body(&input) }
    func receive(_ bytes: [UInt8], _ handler: any TransportHandler) {
        input.append(bytes)
        handler.received(self, &input)
    }
    func send(_ body: (inout ByteBuffer) -> Void) -> Bool {
        body(&written)
        return isWritable
    }
    func close(_ how: TCPConnection.Closing, reason: CloseReason) { closed = closed ?? reason }
    private(set) var handler: (any TransportHandler)?
    func handOver(to handler: any TransportHandler) { self.handler = handler }

    func take() -> [UInt8] {
        defer { written.removeAll() }
        return written.copyBytes()
    }
}

/// The RPC side of the connection under test: records the frames that it gets.
final class FakeRPC: TransportHandler {
    /// `ID NAME [code] block | payload`, one per frame.
    private(set) var frames: [String] = []
    private(set) var events: [String] = []
    private(set) var transport: (any Transport)?
    /// Takes no frames while false.
    var reads = true
    let codec = TinyPBCodec()

    func connected(_ transport: any Transport) {
        self.transport = transport
        events.append("connected")
    }
    func received(_ transport: any Transport, _ input: inout ByteBuffer) {
        if reads { take(&input) }
    }
    func writabilityChanged(_ transport: any Transport, isWritable: Bool) {
        events.append("writable \(isWritable)")
    }
    func draining(_ transport: any Transport) { events.append("draining") }
    func inputEnded(_ transport: any Transport) { events.append("input ended") }
    func closed(_ transport: any Transport, reason: CloseReason) {
        events.append("closed: \(reason)")
        self.transport = nil
    }

    func take(_ input: inout ByteBuffer) {
        while true {
            let bytes = input.copyBytes()
            guard case .frame(let frame, let count)? = try? codec.step(bytes.span.bytes) else {
                return
            }
            func text(_ range: Range<Int>) -> String {
                String(decoding: bytes[range], as: UTF8.self)
            }
            var line = "\(text(frame.messageID)) \(text(frame.methodName))"
            if frame.errorCode != 0 { line += " \(RPCErrorCode(rawValue: frame.errorCode).name)" }
            if !frame.errorInfo.isEmpty {
                line += " " + text(frame.errorInfo).split(separator: "\n").joined(separator: " ")
            }
            let payload = Array(bytes[frame.payload])
            if text(frame.methodName) == "rocket.window" {
                line += " | \(payload.reduce(0) { $0 << 8 | Int($1) })"
            } else if payload.count > 20 {
                line += " | \(payload.count) bytes"
            } else if !payload.isEmpty {
                line += " | \(text(frame.payload))"
            }
            frames.append(line)
            input.consume(count)
        }
    }

    func takeFrames() -> [String] {
        defer { frames = [] }
        return frames
    }

    func takeEvents() -> [String] {
        defer { events = [] }
        return events
    }

    /// Sends a frame.
    @discardableResult
    func send(
        _ id: String, _ name: String, code: RPCErrorCode = RPCErrorCode(rawValue: 0),
        info: String = "", compressing: Bool = true, _ payload: [UInt8] = []
    ) -> Bool {
        func write(_ output: inout ByteBuffer) {
            let (id, name, info) = ([UInt8](id.utf8), [UInt8](name.utf8), [UInt8](info.utf8))
            let start = codec.begin(
                messageID: id.span.bytes, methodName: name.span.bytes, errorCode: code.rawValue,
                errorInfo: info.span.bytes, in: &output)
            output.append(payload)
            try? codec.finish(start, in: &output)
        }
        if compressing { return transport?.send(write) ?? false }
        return transport?.sendUncompressed(write) ?? false
    }

    func sendWindow(_ id: String, _ limit: UInt64) { send(id, "rocket.window", bigEndian(limit)) }
}

extension WireSettings {
    static func test(
        _ kinds: [String: RPCMethodKind] = [:], maxFrameBytes: Int = 4 << 20
    ) -> WireSettings {
        WireSettings(
            codec: TinyPBCodec(maxFrameBytes: maxFrameBytes), methodKind: { kinds[$0.text] },
            messageTypes: { name in
                kinds[name.text].map { _ in
                    MessageTypes(
                        request: Google_Protobuf_Int64Value.self,
                        response: Google_Protobuf_Duration.self)
                }
            },
            streams: RPCStreamLimits(), logger: .disabled)
    }
}

extension FakeRPC {
    @discardableResult
    func send(_ id: String, _ name: String, _ payload: [UInt8]) -> Bool {
        send(id, name, code: RPCErrorCode(rawValue: 0), info: "", payload)
    }
}

/// A server's connection of gRPC between a client's session and a fake RPC side.
final class ServerRig {
    let loop: HandDrivenLoop
    let below = FakeBelow()
    let rpc = FakeRPC()
    let connection: GRPCServerConnection
    let events = HTTP2Recorder()
    let client: HTTP2Session

    init(
        _ configuration: GRPCServerConfiguration = GRPCServerConfiguration(),
        client: HTTP2Configuration = HTTP2Configuration(), maxFrameBytes: Int = 4 << 20
    ) throws {
        loop = try HandDrivenLoop()
        connection = GRPCServerConnection(
            GRPCServerWire(configuration), for: rpc,
            .test(
                [
                    "a.S.unary": .unary, "a.S.client": .clientStreaming,
                    "a.S.server": .serverStreaming, "a.S.both": .bidirectionalStreaming,
                ], maxFrameBytes: maxFrameBytes), on: loop.reactor)
        self.client = try HTTP2Session(role: .client, configuration: client, handler: events)
        connection.connected(below)
        exchange()
        events.removeEvents()
        _ = rpc.takeEvents()
    }

    /// Passes on what both sides send until neither sends more.
    func exchange() {
        for _ in 0..<100 {
            let sent = client.output().bytes
            if !sent.isEmpty { receive(sent) }
            loop.tick()
            let received = below.take()
            if !received.isEmpty { try? client.receive(received) }
            if sent.isEmpty, received.isEmpty, !client.wantsSend { return }
        }
    }

    func receive(_ bytes: [UInt8]) { below.receive(bytes, connection) }

    /// Sends a request. Fields of the same name as one of a valid request replace it; without a value
    /// they are left out.
    @discardableResult
    func request(
        _ path: String, _ body: [UInt8]?, ends: Bool = true, _ more: [(String, String?)] = []
    ) throws -> HTTP2StreamID {
        var fields: [(String, String?)] = [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x"),
            ("te", "trailers"), ("content-type", "application/grpc"),
        ]
        for field in more {
            if let index = fields.firstIndex(where: { $0.0 == field.0 }) {
                fields[index] = field
            } else {
                fields.append(field)
            }
        }
        var headers = HTTP2Headers()
        for case let (name, value?) in fields { headers.add(name, value) }
        let id = try client.request(headers, endsStream: body == nil)
        if let body { events.bodies[id] = .init(body, end: ends ? .end : nil) }
        exchange()
        return id
    }

    /// Sends more of a body.
    func send(_ id: HTTP2StreamID, _ body: [UInt8], ends: Bool = false) {
        events.bodies[id] = .init(body, end: ends ? .end : nil)
        client.resumeData(on: id)
        exchange()
    }

    /// The events since the last call.
    func takeEvents() -> [String] {
        defer { events.removeEvents() }
        return events.events
    }
}

extension GRPCServerConnection {
    /// Bytes that its streams hold.
    var heldBytes: Int { requestBytes + outputBytes }
}

/// A message of gRPC.
func framed(_ message: [UInt8], isCompressed: Bool = false) -> [UInt8] {
    [isCompressed ? 1 : 0] + bigEndian(UInt32(message.count)) + message
}

func framed(_ message: String) -> [UInt8] { framed([UInt8](message.utf8)) }
