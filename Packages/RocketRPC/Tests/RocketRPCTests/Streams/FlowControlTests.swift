import RocketBaseTestKit
import Testing

@testable import RocketRPC

/// The credit of a sender and the window of a receiver, as values.
@Suite("Flow control of streams")
struct FlowControlTests {
    @Test("A sender may send up to the limit, and the limit only grows")
    func credit() {
        var credit = SendCredit(limit: 10)
        #expect(credit.available == 10)
        credit.spend(10)
        #expect(credit.available == 0)
        for (limit, isRaised) in [(10, false), (0, false), (9, false), (11, true)]
            as [(UInt64, Bool)]
        {
            let result = credit.raise(to: limit)
            #expect(result == isRaised && credit.available == (isRaised ? 1 : 0))
        }
    }

    @Test("The largest limit that a peer can give is a limit like any other")
    func largest() {
        var credit = SendCredit(limit: 0)
        let isRaised = credit.raise(to: .max)
        #expect(isRaised && credit.available == .max)
        credit.spend(1 << 40)
        #expect(credit.available == .max && credit.sent == 1 << 40)
    }

    @Test("A receiver takes exactly its window, and not a byte more")
    func exact() {
        var window = ReceiveWindow(size: 100, announced: 100)
        let isTaken = window.receive(100)
        #expect(isTaken && window.heldBytes == 100)
        let isTooMuch = !window.receive(1)
        #expect(isTooMuch)
    }

    @Test("A new limit is announced when half of the window has been consumed")
    func announces() {
        var window = ReceiveWindow(size: 100, announced: 100)
        _ = window.receive(100)
        let limits = [49, 1, 49, 1].map { window.consume($0) }
        #expect(limits == [nil, 150, nil, 200])
        #expect(window.announced == 200 && window.heldBytes == 0)
    }

    @Test("A window larger than what the peer knows is announced at once")
    func larger() {
        var window = ReceiveWindow(size: 4 << 20, announced: 1 << 20)
        let limits = [0, 0].map { window.consume($0) }
        #expect(limits == [4 << 20, nil])
    }

    @Test("Sender and receiver agree after any sequence of steps", arguments: 1...20)
    func agree(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var credit = SendCredit(limit: 1000)
        var window = ReceiveWindow(size: 1000, announced: 1000)
        var waiting = 0
        for _ in 0..<10_000 {
            if Bool.random(using: &random), credit.available > 0 {
                let bytes = Int.random(in: 1...credit.available, using: &random)
                credit.spend(bytes)
                let isTaken = window.receive(bytes)
                #expect(isTaken)
                waiting += bytes
            } else if waiting > 0 {
                let bytes = Int.random(in: 1...waiting, using: &random)
                waiting -= bytes
                if let limit = window.consume(bytes) {
                    let isRaised = credit.raise(to: limit)
                    #expect(isRaised)
                }
            }
            #expect(window.heldBytes == waiting && waiting <= 1000)
            // Nothing is lost: when all has been read, at least half of the window is free.
            if waiting == 0 { #expect(credit.available > 500) }
        }
    }

    @Test("Limits below those documented count as those")
    func limits() {
        var limits = RPCStreamLimits()
        limits.windowBytes = -5
        limits.connectionWindowBytes = 0
        #expect(limits.validWindowBytes == 1024)
        #expect(limits.validConnectionWindowBytes == 1 << 20)
    }
}
