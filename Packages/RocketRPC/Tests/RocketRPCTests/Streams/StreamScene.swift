import Foundation
import RocketBase
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@_spi(Transport) @testable import RocketRPC

/// A server with streaming methods, whose peer is the test.
struct StreamScene {
    static let name = StreamService.serviceName
    let service = StreamService()
    let kit = FrameKit()

    func with(
        _ configure: (inout RPCCallLimits) -> Void = { _ in }, codec: TinyPBCodec = .init(),
        services: [any RPCService] = [], metrics: ServerMetrics.Settings? = nil,
        _ body: (ServerScene, ServerScene.Client) throws -> Void
    ) throws {
        var limits = RPCCallLimits()
        configure(&limits)
        try ServerScene.with(
            [service, TestService()] + services, limits: limits, codec: codec, metrics: metrics
        ) { scene, clients in
            try body(scene, clients[0])
            service.gate.open()
            scene.loop.tickUntilIdle()
        }
    }

    func open(
        _ method: String, id: String = "1", kind: String, window: String = "1000000",
        _ payload: [UInt8] = [], more: String = ""
    ) throws -> [UInt8] {
        try kit.frame(
            id: id, "\(Self.name).\(method)",
            info: "rkm1\nstream=\(kind)\nwindow=\(window)\n\(more)",
            payload: payload)
    }

    func data(_ payload: [UInt8], id: String = "1", info: String = "") throws -> [UInt8] {
        try kit.frame(id: id, "rocket.data", info: info, payload: payload)
    }

    func end(id: String = "1") throws -> [UInt8] { try data([], id: id, info: "end") }

    func window(_ limit: UInt64, id: String = "1") throws -> [UInt8] {
        let bytes = (0..<8).reversed().map { UInt8(truncatingIfNeeded: limit >> (8 * $0)) }
        return try kit.frame(id: id, "rocket.window", payload: bytes)
    }

    func number(_ value: Int64) throws -> [UInt8] { try Number(value).serializedBytes() }

    /// A `Bytes` whose serialized form has that many bytes, more than 130.
    func bytes(_ count: Int) throws -> [UInt8] {
        let overhead = count < 16_390 ? 3 : count < 2_097_160 ? 4 : 5
        let bytes: [UInt8] = try Bytes(Data(count: count - overhead)).serializedBytes()
        #expect(bytes.count == count)
        return bytes
    }

    static func limit(_ answer: FrameKit.Answer) -> UInt64 {
        answer.payload.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
