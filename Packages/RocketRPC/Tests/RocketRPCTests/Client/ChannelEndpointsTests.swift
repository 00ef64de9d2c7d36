import RocketBase
import RocketSystem
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

/// A channel to several servers, whose list changes.
@Suite struct ChannelEndpointsTests {
    let a = NetAddress.loopback(port: 1)
    let b = NetAddress.loopback(port: 2)
    let c = NetAddress.loopback(port: 3)

    func endpoints(_ addresses: NetAddress...) -> [RPCEndpoint] {
        addresses.map { RPCEndpoint([$0]) }
    }

    func channel(
        _ addresses: NetAddress..., configure: (inout RPCChannelConfiguration) -> Void = { _ in }
    ) throws -> DrivenChannel {
        try DrivenChannel(to: .fixed(addresses.map { RPCEndpoint([$0]) })) {
            $0.connectBackOff = BackOff(first: .milliseconds(100), most: .milliseconds(100))
            configure(&$0)
        }
    }

    @Test("The first call connects to all servers, and calls are spread over those that are ready")
    func spreads() throws {
        let channel = try channel(a, b, c)
        #expect(channel.connector.made.isEmpty)
        channel.start()
        #expect(channel.connector.made.map(\.endpoint) == [a, b, c])
        try channel.last(to: b).connect()
        #expect(try channel.state == .ready && channel.last(to: b).requests().count == 1)
        try channel.last(to: a).connect()
        try channel.last(to: c).refuse()
        for _ in 0..<100 { channel.start() }
        let toA = try channel.last(to: a).requests().count
        let toB = try channel.last(to: b).requests().count
        #expect(toA + toB == 100 && toA >= 30 && toB >= 30)
    }

    @Test("Servers that stay in the list keep their connections; a new one is connected to")
    func stay() throws {
        let channel = try channel(a, b)
        channel.start()
        try channel.last(to: a).connect()
        try channel.last(to: b).connect()
        channel.core.replace(endpoints(b, c))
        #expect(channel.connector.made.map(\.endpoint) == [a, b, c])
        #expect(try channel.last(to: b).closing == nil)
    }

    @Test("A server that is not in the list any more ends its calls, and gets no more")
    func gone() throws {
        let channel = try channel(a, b)
        let calls = (0..<20).map { _ in channel.start() }
        try channel.last(to: a).connect()
        try channel.last(to: b).connect()
        let more = (0..<20).map { _ in channel.start() }
        let left = try channel.last(to: a).requests()
        channel.core.replace(endpoints(b))
        #expect(try channel.last(to: a).closing == nil)
        for _ in 0..<20 { channel.start() }
        #expect(try channel.last(to: a).requests().isEmpty)
        for request in left { try channel.last(to: a).reply(to: request.id) }
        #expect(try channel.last(to: a).closing == .afterFlush)
        let answered = (calls + more).filter { $0.ends == [.response([])] }.count
        #expect(answered == left.count && answered > 0)
    }

    @Test("A server that is gone while it is connected to is not connected to any more")
    func goneEarly() throws {
        let channel = try channel(a, b)
        channel.start()
        channel.core.replace(endpoints(b))
        #expect(try channel.last(to: a).isCancelled)
        try channel.last(to: a).refuse()
        channel.tick(after: .seconds(1))
        #expect(channel.connector.made.count == 2)
    }

    @Test("A failure, or an empty list, leaves the last list")
    func failure() throws {
        let channel = try channel(a, b)
        channel.start()
        try channel.last(to: a).connect()
        channel.core.resolved(.failure(RPCError(.peerAddress, "no DNS")))
        channel.core.resolved(.success([]))
        channel.core.resolved(.success([RPCEndpoint([])]))
        #expect(try channel.state == .ready && channel.last(to: a).closing == nil)
        #expect(channel.statistics.resolutionFailures == 3 && channel.statistics.resolutions == 0)
    }

    @Test("Without any list calls fail with the resolver's error, or wait if they are to")
    func unresolved() throws {
        let channel = try DrivenChannel(to: .fixed([]))
        channel.core.resolved(.failure(RPCError(.peerAddress, "no such name")))
        #expect(channel.state == .transientFailure)
        let call = channel.start()
        #expect(call.ends == [.error(.peerAddress)])
        let patient = channel.start { $0.outgoing.parameters.waitsForReady = true }
        #expect(patient.ends.isEmpty)
        channel.core.resolved(.success(endpoints(a)))
        try channel.last(to: a).connect()
        try channel.last(to: a).reply(to: patient.idText)
        #expect(patient.ends == [.response([])])
    }

    @Test("One of several servers that closes its connection is connected to again at once")
    func reconnects() throws {
        let channel = try channel(a, b)
        let call = channel.start()
        try channel.last(to: a).connect()
        try channel.last(to: a).reply(to: call.idText)
        try channel.last(to: a).end(.peerFinished)
        #expect(channel.connector.made.map(\.endpoint) == [a, b, a])
        // One that has never worked waits.
        try channel.last(to: a).connect()
        try channel.last(to: a).end(.peerFinished)
        #expect(channel.connector.made.count == 3)
        channel.tick(after: .milliseconds(100))
        #expect(channel.connector.made.count == 4)
    }

    @Test("The same server twice in a list is one")
    func twice() throws {
        let channel = try channel(a, a, b)
        channel.start()
        #expect(channel.connector.made.map(\.endpoint) == [a, b])
    }
}

extension DrivenChannel {
    /// The newest transport to an address.
    func last(to address: NetAddress) throws -> FakeTransport {
        try #require(connector.last(to: address))
    }
}
