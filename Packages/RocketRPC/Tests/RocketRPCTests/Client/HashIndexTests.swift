import Testing

@testable import RocketRPC

@Suite struct HashIndexTests {
    /// The same as a dictionary would do, also where many hashes fall together.
    @Test(arguments: 0..<20) func itAgreesWithADictionary(seed: UInt64) {
        var random = SplitMix(seed: seed)
        var table = HashIndex()
        var model: [Int: UInt64] = [:]
        let kinds = UInt64.random(in: 1...200, using: &random)
        for _ in 0..<3000 {
            let slot = Int.random(in: 0..<300, using: &random)
            if let hash = model[slot] {
                table.remove(hash, slot)
                model[slot] = nil
            } else {
                // Few kinds, and all of them near the table's end: long runs that wrap around.
                let hash = UInt64.max &- random.next() % kinds
                table.insert(hash, slot)
                model[slot] = hash
            }
            #expect(table.count == model.count)
        }
        for slot in 0..<300 {
            let found = model[slot].flatMap { hash in table.find(hash) { $0 == slot } }
            #expect(found == (model[slot] == nil ? nil : slot))
        }
        let nobody = table.find(1) { _ in true }
        #expect(nobody == nil)
    }
}
