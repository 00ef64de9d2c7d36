import RocketBase
import RocketCodec
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// What a server sends to peers that know metadata, and takes from them.
@Suite("Metadata limits of a connection")
struct PeerMetadataTests {
    let block = "rkm1\nx-sent=a\n"

    @Test(
        "The first response to a request with a block announces the limit, and no other one does",
        arguments: ["test.v1.Test.echo", "test.sync.Sync.echo"])
    func announcement(_ method: String) throws {
        try ServerScene.with([TestService(), SynchronousEcho()], connections: 2) { _, clients in
            let client = clients[0]
            try client.call(method, id: "1")
            #expect(try client.answers().map(\.info) == [""])
            // An error's text leaves no room for a block.
            try client.call(
                "test.v1.Test.fail", id: "2", info: block, payload: FrameKit().text("rpc"))
            #expect(try client.answers().map(\.info) == ["not you"])
            try client.call(method, id: "3", info: block)
            #expect(try client.answers().map(\.info) == ["rkm1\nlimit=8192\n"])
            try client.call(method, id: "4", info: block)
            // The other connection has the same loop and the same responders.
            try clients[1].call(method, id: "5")
            #expect(try clients[1].answers().map(\.info) == [""])
            try client.call("test.v1.Test.describe", id: "6", info: block)
            #expect(try client.answers().map(\.info) == ["", "rkm1\nx-seen=a\n"])
        }
    }

    @Test("Metadata of a handler is sent together with the limit")
    func handlersMetadata() throws {
        try ServerScene.with([TestService()]) { _, clients in
            try clients[0].call("test.v1.Test.describe", id: "1", info: block)
            let info = try #require(try clients[0].answers().first).info
            let read = MetadataBlock.read([UInt8](info.utf8).span.bytes)
            #expect(read?["x-seen"] == "a" && read?["limit"] == "8192")
        }
    }

    @Test("A peer that has sent a block gets metadata of more than 511 bytes, others an error")
    func longReply() throws {
        try ServerScene.with([TestService()]) { _, clients in
            try clients[0].call("test.v1.Test.chatty", id: "1")
            #expect(try clients[0].answers().codes == [.resourceExhausted])
            try clients[0].call("test.v1.Test.chatty", id: "2", info: block)
            let answer = try #require(try clients[0].answers().first)
            #expect(answer.code == .success && answer.info.utf8.count > 600)
        }
    }

    @Test("A response that is too large to be sent announces nothing, and the next one does")
    func tooLargeResponse() throws {
        var limits = RPCCallLimits()
        limits.defaults.maxResponseBytes = 10
        try ServerScene.with([TestService()], limits: limits) { _, clients in
            try clients[0].call(id: "1", info: block, payload: FrameKit().text("eleven bytes"))
            #expect(try clients[0].answers().codes == [.resourceExhausted])
            try clients[0].call(id: "2", info: block)
            #expect(try clients[0].answers().map(\.info) == ["rkm1\nlimit=8192\n"])
        }
    }

    @Test("A request with 8192 bytes of metadata is served, a longer one refused with both sizes")
    func longRequest() throws {
        try ServerScene.with([TestService()]) { _, clients in
            for extra in 0...1 {
                let head = "rkm1\nx-sent="
                let value = String(repeating: "a", count: 8191 - head.utf8.count + extra)
                try clients[0].call(id: "\(extra)", info: head + value + "\n")
            }
            let answers = try clients[0].answers()
            #expect(answers.codes == [.success, .resourceExhausted])
            #expect(answers.last?.info == "the metadata has 8193 bytes; 8192 are allowed")
        }
    }
}

/// Answers without a task.
struct SynchronousEcho: RPCService {
    static let serviceName = "test.sync.Sync"

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(
            RPCMethod<Text, Text>(service: Self.serviceName, name: "echo"),
            synchronous: { request, _ in request })
    }
}
