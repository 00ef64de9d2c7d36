import Foundation
import RocketBase
import RocketCodec
import RocketReactorTestKit
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// A request above the frame limit fails alone: its bytes are skipped.
@Suite("Requests above the frame limit")
struct OversizedRequestTests {
    let kit = FrameKit()
    let codec = TinyPBCodec(maxFrameBytes: 200)

    func large(_ id: String, _ length: Int) throws -> [UInt8] {
        let empty = try kit.frame(id: id).count
        return try kit.frame(id: id, payload: [UInt8](repeating: 0x0A, count: length - empty))
    }

    @Test(
        "Only its call fails, with both sizes, however its bytes arrive", arguments: [1, 7, 5000])
    func otherCalls(_ partBytes: Int) throws {
        let service = TestService()
        try ServerScene.with([service], codec: codec) { scene, clients in
            let client = clients[0]
            try client.call("test.v1.Test.hold", id: "held", payload: Number(1).serializedBytes())
            let bytes =
                try kit.frame(id: "before") + large("large", 201) + kit.frame(id: "between")
                + large("larger", 3000) + kit.frame(id: "after")
            var sent = 0
            while sent < bytes.count {
                client.send(Array(bytes[sent..<min(sent + partBytes, bytes.count)]))
                sent += partBytes
            }
            let answers = try client.answers()
            #expect(answers.ids == ["before", "large", "between", "larger", "after"])
            #expect(
                answers.codes
                    == [.success, .resourceExhausted, .success, .resourceExhausted, .success])
            #expect(answers[1].info == "the request's frame has 201 bytes; 200 are allowed")
            service.gate.open()
            scene.loop.tickUntilIdle()
            #expect(try client.answers().ids == ["held"])
            #expect(client.peer.closing == nil)
            #expect(client.connection.dispatcher.statistics.refusedCalls == 2)
            #expect(client.connection.dispatcher.statistics.brokenStreams == 0)
        }
    }

    @Test("A peer that ends in the middle of it is closed")
    func endInside() throws {
        try ServerScene.with([TestService()], codec: codec) { _, clients in
            clients[0].send(Array(try large("large", 1000)[..<500]))
            #expect(try clients[0].answers().ids == ["large"])
            clients[0].finish()
            #expect(clients[0].peer.closing == .peerFinished)
        }
    }

    @Test("A frame that is too long to be skipped is refused, and closes the connection")
    func farTooLong() throws {
        try ServerScene.with([TestService()], codec: codec) { _, clients in
            clients[0].send(Array(try large("large", 201 * 16)[..<100]))
            #expect(try clients[0].answers().codes == [.resourceExhausted])
            #expect(clients[0].peer.closing == .rejected("bad frame"))
        }
    }

    @Test("The limits on a connection's buffers follow the frame limit")
    func buffers() async throws {
        try await withServer {
            $0.codec = TinyPBCodec(maxFrameBytes: 2 << 20)
            $0.tcp.connection.inputLimitBytes = 1000
            $0.tcp.connection.outputLimitBytes = 300 << 10
        } _: { address in
            let channel = try RPCChannel(to: address, configuration: .patient)
            defer { channel.close() }
            let bytes = Bytes(Data(count: (2 << 20) - 200))
            #expect(try await channel.call(TestService.echoBytes, bytes) == bytes)
        }
    }
}
