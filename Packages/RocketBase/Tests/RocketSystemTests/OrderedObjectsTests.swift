import RocketSystem
import Testing

@Suite struct OrderedObjectsTests {
    private final class Numbered {
        let number: Int
        init(_ number: Int) { self.number = number }
    }

    @Test("Keeps the order of insertion, whatever is removed in between")
    func order() {
        let all = (0..<1000).map { Numbered($0) }
        var objects = OrderedObjects<Numbered>()
        for object in all { objects.insert(object) }
        for object in all where object.number % 3 == 0 { objects.remove(object) }
        objects.insert(all[0])
        // No effect.
        objects.insert(all[1])
        objects.remove(Numbered(1))
        let wanted = (0..<1000).filter { $0 % 3 != 0 } + [0]
        #expect(objects.inOrder.map(\.number) == wanted)
        #expect(objects.count == wanted.count)
        objects.removeAll()
        #expect(objects.inOrder.isEmpty && objects.count == 0)
    }
}
