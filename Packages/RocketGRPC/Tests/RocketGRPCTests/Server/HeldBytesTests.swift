import RocketBase
import RocketCompression
import RocketHTTP2
import RocketHTTP2TestKit
import RocketReactorTestKit
@_spi(Transport) import RocketRPC
import RocketTCP
import Testing

@testable import RocketGRPC

@Suite("What one client can make a server hold")
struct HeldBytesTests {
    private func compressed(_ message: [UInt8]) throws -> [UInt8] {
        var bytes = ByteBuffer()
        try Compressor().compress(message.span.bytes, with: .gzip, into: &bytes)
        return bytes.copyBytes()
    }

    private func compressing() -> GRPCServerConfiguration {
        var configuration = GRPCServerConfiguration()
        configuration.compression = Compression([.gzip])
        return configuration
    }

    @Test(
        "Paths that are names of frames, or have a dot in the method, are UNIMPLEMENTED",
        arguments: [
            "/rocket/data", "/rocket/window", "/rocket/headers", "/rocket/cancel",
            "/rocket/goaway", "/a/S.unary",
        ])
    func reservedPath(path: String) throws {
        let rig = try ServerRig()
        try rig.request(path, framed("x"), ends: false)
        #expect(rig.takeEvents().contains("grpc-status: 12"))
        #expect(rig.rpc.takeFrames() == [] && rig.connection.streams.count == 0)
    }

    @Test("Metadata over the limit of a block is refused before anything is kept of it")
    func largeMetadata() throws {
        let rig = try ServerRig()
        let value = String(repeating: "é", count: 2000)
        for path in ["/a.S/unary", "/a.S/both", "/a.S/none"] {
            try rig.request(path, [0], ends: false, [("x-a", value)])
            #expect(rig.takeEvents().contains("grpc-status: 8"))
        }
        try rig.request("/a.S/both", nil, [("x-a", "1")])
        #expect(rig.takeEvents() == [])
        #expect(rig.rpc.takeFrames().first == "7 a.S.both rkm1 stream=b window=65536 x-a=1")
    }

    @Test("Requests without a body count, and are limited")
    func headers() throws {
        var configuration = GRPCServerConfiguration()
        configuration.maxBufferedRequestBytes = 100_000
        let rig = try ServerRig(configuration)
        let value = String(repeating: "x", count: 6000)
        for _ in 0..<16 { try rig.request("/a.S/unary", [], ends: false, [("x-a", value)]) }
        #expect(rig.takeEvents() == [])
        #expect(rig.below.handlerBytes > 16 * 7000)
        try rig.request("/a.S/unary", [], ends: false, [("x-a", value)])
        #expect(rig.takeEvents().contains("grpc-status: 8"))
        #expect(rig.connection.streams.count == 16)
    }

    @Test("An answer does not repeat a long field")
    func longField() throws {
        let rig = try ServerRig()
        let value = String(repeating: "é", count: 5000)
        for name in ["grpc-timeout", "grpc-encoding", ":path"] {
            try rig.request("/a.S/unary", framed("x"), [(name, name == ":path" ? "/é/" : value)])
            let events = rig.takeEvents()
            #expect(events.contains { $0.hasPrefix("grpc-message") })
            #expect(events.allSatisfy { $0.utf8.count < 600 })
        }
    }

    @Test("Responses that are not read are no requests")
    func responses() throws {
        var configuration = GRPCServerConfiguration()
        configuration.maxBufferedRequestBytes = 10_000
        var small = HTTP2Configuration()
        small.streamWindowBytes = 1000
        let rig = try ServerRig(configuration, client: small)
        try rig.request("/a.S/server", framed("q"))
        rig.rpc.send("1", "rocket.data", Array(repeating: 1, count: 40_000))
        rig.exchange()
        _ = rig.takeEvents()
        try rig.request("/a.S/unary", [0, 0, 0, 0, 9], ends: false)
        #expect(rig.takeEvents() == [])
        #expect(rig.connection.outputBytes > 30_000)
    }

    @Test("A compressed message of a stream is decompressed when it can be passed on")
    func lateDecompression() throws {
        let rig = try ServerRig(compressing())
        let message = framed(
            try compressed(Array(repeating: 7, count: 500_000)), isCompressed: true)
        let gzip: [(String, String?)] = [("grpc-encoding", "gzip")]
        let id = try rig.request("/a.S/client", message + message, ends: false, gzip)
        #expect(rig.connection.requestBytes < 2 * message.count)
        rig.rpc.sendWindow("1", 400_000)
        rig.exchange()
        #expect(rig.rpc.takeFrames().count == 8)
        rig.rpc.sendWindow("1", 1_000_000)
        rig.send(id, [], ends: true)
        #expect(rig.rpc.takeFrames().last == "1 rocket.data end")
        #expect(rig.connection.requestBytes == 0)
    }

    @Test("Parts of compressed messages count as requests that have not arrived")
    func compressedParts() throws {
        var configuration = compressing()
        configuration.maxBufferedRequestBytes = 10_000
        let rig = try ServerRig(configuration)
        let part = Array(
            framed(Array(repeating: 1, count: 100_000), isCompressed: true).prefix(6000))
        for path in ["/a.S/client", "/a.S/both"] {
            #expect(rig.takeEvents() == [])
            try rig.request(path, part, ends: false, [("grpc-encoding", "gzip")])
        }
        #expect(rig.takeEvents().contains("grpc-status: 8"))
        #expect(rig.rpc.takeFrames().last == "3 rocket.cancel")
        #expect(rig.connection.streams.count == 1)
    }

    @Test("Nothing is left of a connection that has ended")
    func lifetime() throws {
        let loop: HandDrivenLoop
        weak var connection: GRPCServerConnection?
        weak var session: HTTP2Session?
        do {
            let rig = try ServerRig()
            loop = rig.loop
            (connection, session) = (rig.connection, rig.connection.session)
            try rig.request("/a.S/unary", [0], ends: false)
            try rig.request("/a.S/both", framed("x"), ends: false)
            rig.connection.draining(rig.below)
            rig.rpc.transport?.close(.afterFlush, reason: .requested)
            rig.connection.closed(rig.below, reason: .requested)
            loop.tick()
        }
        #expect(connection == nil && session == nil)
        loop.tick(after: .seconds(60))
    }
}
