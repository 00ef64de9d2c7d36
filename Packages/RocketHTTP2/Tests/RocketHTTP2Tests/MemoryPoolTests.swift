import RocketBase
import RocketHTTP2
import RocketHTTP2TestKit
import Testing

@Suite struct MemoryPoolTests {
    @Test("Streams in steady state allocate no memory of nghttp2")
    func steadyState() throws {
        let pool = HTTP2MemoryPool()
        let pair = try HTTP2Pair(memory: pool)
        pair.echo()
        func call() throws {
            let stream = try pair.call(Array("a small message".utf8))
            try pair.exchange()
            pair.client.consumed(15, on: stream)
        }
        for _ in 0..<200 { try call() }
        let before = pool.allocations
        for _ in 0..<1_000 { try call() }
        #expect(pool.allocations == before)
    }

    @Test("An idle session holds less than 28 KiB, 16 of them room for a frame")
    func idle() throws {
        let pool = HTTP2MemoryPool()
        let events = HTTP2Recorder()
        let server = try HTTP2Session(role: .server, memory: pool, handler: events)
        try server.receive(HTTP2Session.preface + RawFrame.settings().bytes)
        _ = server.output()
        #expect(pool.usedBytes < 28 << 10)
    }

    @Test("A session gives all of its memory back, and the pool keeps no more than its limit")
    func limit() throws {
        let pool = HTTP2MemoryPool(limitBytes: 10_000)
        for _ in 0..<3 {
            let pair = try HTTP2Pair(memory: pool)
            for _ in 0..<50 { _ = try pair.call([1, 2, 3]) }
            try pair.exchange()
            #expect(pool.usedBytes > 10_000)
        }
        #expect(pool.usedBytes == 0)
        #expect((1...10_000).contains(pool.freeBytes))
    }

    @Test("A session that fails in the middle of frames gives its memory back, too")
    func failed() throws {
        let pool = HTTP2MemoryPool()
        for cut in 0..<200 {
            let events = HTTP2Recorder()
            let server = try HTTP2Session(role: .server, memory: pool, handler: events)
            let frames = [
                RawFrame.settings([(4, 70_000)]), .headers(1, requestBlock(), ends: false),
                .data(1, [1, 2, 3]), .headers(1, literal("a", "b")), .goAway(0),
            ]
            let bytes = HTTP2Session.preface + frames.flatMap(\.bytes)
            try server.receive(Array(bytes.prefix(cut)))
        }
        #expect(pool.usedBytes == 0)
    }
}
