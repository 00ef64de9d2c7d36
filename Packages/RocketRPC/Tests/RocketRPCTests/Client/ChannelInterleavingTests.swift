import RocketBase
import RocketBaseTestKit
import RocketTCP
import Testing

@_spi(Transport) @testable import RocketRPC

@Suite struct ChannelInterleavingTests {
    /// The network, the server, the clock and the callers act in random order.
    @Test("Any interleaving ends each call exactly once, with balanced counters", arguments: 0..<60)
    func everyInterleaving(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let poolSize = Int.random(in: 1...3, using: &random)
        let channel = try DrivenChannel {
            $0.poolSize = poolSize
            $0.connectBackOff = BackOff(first: .milliseconds(10), most: .milliseconds(40))
            $0.retry.backOff = BackOff(first: .milliseconds(5), most: .milliseconds(20))
            $0.maxCallsInFlight = 200
        }
        var calls: [FakeCall] = []
        var ended: Set<Int> = []
        var open = Transports()
        for _ in 0..<1500 {
            let transport = channel.connector.made.randomElement(using: &random)
            switch Int.random(in: 0..<13, using: &random) {
            case 0..<4:
                let timeout = Duration.milliseconds(Int.random(in: 0...100, using: &random))
                calls.append(
                    channel.start(timeout: timeout) {
                        $0.parameters.waitsForReady =
                            [true, false, nil].randomElement(using: &random) ?? nil
                        $0.parameters.isIdempotent = Bool.random(using: &random)
                        if Int.random(in: 0..<30, using: &random) == 0 { $0.outgoing.cancel() }
                    })
            case 4:
                guard let transport, open.state(of: transport) == .made else { continue }
                if Bool.random(using: &random) {
                    open.set(transport, .connected)
                    transport.connect()
                } else {
                    open.set(transport, .ended)
                    transport.refuse()
                }
            case 5..<9:
                guard let transport, open.state(of: transport) == .connected else { continue }
                let id = calls.randomElement(using: &random)?.idText ?? ""
                let isRefusal = Int.random(in: 0..<4, using: &random) == 0
                transport.reply(to: id, code: isRefusal ? .unavailable : .init(rawValue: 0))
            case 9:
                guard let transport, open.state(of: transport) == .connected else { continue }
                transport.take(Int.random(in: 0...transport.unsentBytes, using: &random))
                if transport.closing != nil || Int.random(in: 0..<3, using: &random) == 0 {
                    open.set(transport, .ended)
                    transport.end()
                }
            case 10:
                guard let transport, open.state(of: transport) == .connected else { continue }
                if transport.isWritable { transport.fill() } else { transport.makeRoom() }
            case 11:
                if let call = calls.randomElement(using: &random) {
                    channel.core.cancel(call.outgoing)
                }
            default:
                channel.tick(
                    after: .milliseconds(Int.random(in: 0...20, using: &random)))
            }
            for (number, call) in calls.enumerated() where !call.ends.isEmpty {
                ended.insert(number)
            }
            try #require(calls.allSatisfy { $0.ends.count <= 1 })
            try #require(channel.statistics.callsInFlight == calls.count - ended.count)
        }
        channel.core.close()
        #expect(calls.allSatisfy { $0.ends.count == 1 })
        #expect(channel.statistics.callsInFlight == 0)
    }

    /// The state of each transport, as the test has set it.
    struct Transports {
        enum State { case made, connected, ended }
        private var states: [ObjectIdentifier: State] = [:]

        func state(of transport: FakeTransport) -> State {
            states[ObjectIdentifier(transport)] ?? .made
        }
        mutating func set(_ transport: FakeTransport, _ state: State) {
            states[ObjectIdentifier(transport)] = state
        }
    }
}
