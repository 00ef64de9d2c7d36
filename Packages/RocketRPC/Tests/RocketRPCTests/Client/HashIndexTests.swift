import RocketBaseTestKit
import Testing

@testable import RocketRPC

@Suite struct HashIndexTests {
    @Test("The index agrees with a dictionary, also where hashes collide", arguments: 0..<20)
    func agreesWithDictionary(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var index = HashIndex()
        var model: [Int: UInt64] = [:]
        let kinds = UInt64.random(in: 1...200, using: &random)
        for _ in 0..<3000 {
            let slot = Int.random(in: 0..<300, using: &random)
            if let hash = model[slot] {
                index.remove(hash, slot)
                model[slot] = nil
            } else {
                // Few kinds, and all of them near the end of the index: long runs that wrap around.
                let hash = UInt64.max &- random.next() % kinds
                index.insert(hash, slot)
                model[slot] = hash
            }
            #expect(index.count == model.count)
        }
        for slot in 0..<300 {
            let found = model[slot].flatMap { hash in index.find(hash) { $0 == slot } }
            #expect(found == (model[slot] == nil ? nil : slot))
        }
        let unknown = index.find(1) { _ in true }
        #expect(unknown == nil)
    }
}
