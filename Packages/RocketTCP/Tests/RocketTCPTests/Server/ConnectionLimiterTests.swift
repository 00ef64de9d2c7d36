import RocketBase
import RocketSystem
import Testing

@testable import RocketTCP

@Suite struct ConnectionLimiterTests {
    private func limiter(_ limit: Int, perPeer: Int? = nil) -> ConnectionLimiter {
        ConnectionLimiter(
            limit: limit, limitPerPeer: perPeer, budget: ByteBudget(limitBytes: 1 << 30))
    }

    private func address(_ text: String) throws -> NetAddress { try NetAddress(parsing: text) }

    /// The last connection ends between the acceptor's look at the count and its note.
    @Test("Runs whenRoom at once when there is room already, and once when there will be")
    func whenRoom() throws {
        let limiter = limiter(1)
        let peer = try address("192.0.2.1:1")
        let ran = Locked(0)
        limiter.whenRoom { ran.withLock { $0 += 1 } }
        #expect(ran.withLock { $0 } == 1)
        #expect(limiter.admit(peer) == .admitted)
        limiter.whenRoom { ran.withLock { $0 += 1 } }
        #expect(ran.withLock { $0 } == 1)
        limiter.release(peer)
        #expect(ran.withLock { $0 } == 2)
        #expect(limiter.admit(peer) == .admitted)
        limiter.release(peer)
        #expect(ran.withLock { $0 } == 2)
    }

    @Test("Leaves a quarter of the places to one peer by default, and 16 at least")
    func defaultShare() throws {
        #expect(limiter(10_000).limitPerPeer == 2_500)
        #expect(limiter(64).limitPerPeer == 16)
        #expect(limiter(10).limitPerPeer == 16)
        #expect(limiter(100, perPeer: 100).limitPerPeer == 100)
        let limiter = limiter(100)
        let greedy = try address("192.0.2.1:1")
        let taken = (0..<100).filter { _ in limiter.admit(greedy) == .admitted }.count
        #expect(taken == 25)
        #expect(limiter.admit(greedy) == .peerHasTooMany)
        #expect(limiter.admit(try address("192.0.2.2:1")) == .admitted)
        limiter.release(greedy)
        #expect(limiter.admit(greedy) == .admitted)
    }

    @Test("Counts an IPv6 network of 64 bits as one peer, but hosts on one link each")
    func peers() throws {
        func isOne(_ first: String, _ second: String) throws -> Bool {
            PeerKey(try address(first)) == PeerKey(try address(second))
        }
        #expect(try isOne("192.0.2.1:1", "192.0.2.1:2"))
        #expect(try !isOne("192.0.2.1:1", "192.0.2.2:1"))
        #expect(try isOne("[2001:db8::1]:1", "[2001:db8::ffff:1]:2"))
        #expect(try !isOne("[2001:db8::1]:1", "[2001:db8:0:1::1]:1"))
        #expect(try !isOne("[fe80::1%1]:1", "[fe80::2%1]:1"))
        #expect(try !isOne("[fe80::1%1]:1", "[fe80::1%2]:1"))
        #expect(try isOne("unix:/a", "unix:@b"))
    }

    @Test("A server's phase never goes back, whoever changes it")
    func phases() {
        let context = ServerContext(
            TCPServerConfiguration(listen: []), logger: .disabled
        ) { _ in preconditionFailure("no connection is made") }
        #expect(context.phase == .open)
        context.advance(to: .draining)
        #expect(context.phase == .draining)
        context.advance(to: .stopped)
        context.advance(to: .draining)
        context.advance(to: .open)
        #expect(context.phase == .stopped)
    }
}
