import RocketSystem
import Testing

@testable import RocketTCP

@Suite struct FairQueueTests {
    private func peer(_ number: UInt32) -> PeerKey {
        PeerKey(NetAddress(.ipv4(bits: number, port: 1)))
    }

    @Test("A peer with many elements delays another one by one element")
    func turns() {
        var queue = FairQueue<String>()
        for number in 1...3 { queue.append("a\(number)", of: peer(1)) }
        queue.append("b1", of: peer(2))
        queue.append("b2", of: peer(2))
        queue.append("c1", of: peer(3))
        var order: [String] = []
        while let next = queue.popNext() { order.append(next) }
        #expect(order == ["a1", "b1", "c1", "a2", "b2", "a3"])
    }

    @Test("A peer that comes back takes its turn behind the others")
    func comesBack() {
        var queue = FairQueue<Int>()
        queue.append(1, of: peer(1))
        queue.append(2, of: peer(2))
        #expect(queue.popNext() == 1)
        queue.append(3, of: peer(1))
        #expect([queue.popNext(), queue.popNext(), queue.popNext()] == [2, 3, nil])
    }
}
