/// The labels of a reactor's registrations, each kept once: a registration has its index, a
/// twelfth of its size. They are texts of the program, so there are few. A value.
struct CallbackLabels {
    typealias Index = UInt16

    private var labels: ContiguousArray<StaticString> = []

    subscript(index: Index) -> StaticString { labels[Int(index)] }

    /// Returns the index of a label, which is added if it is new. Beyond 65,536 labels, which no
    /// program has, the last one stands for all others.
    mutating func index(of label: StaticString) -> Index {
        let found = labels.firstIndex { Self.isSame($0, label) }
        if let found { return Index(found) }
        if labels.count <= Int(Index.max) { labels.append(label) }
        return Index(labels.count - 1)
    }

    private static func isSame(_ one: StaticString, _ other: StaticString) -> Bool {
        if !one.hasPointerRepresentation || !other.hasPointerRepresentation {
            return !one.hasPointerRepresentation && !other.hasPointerRepresentation
                && one.unicodeScalar == other.unicodeScalar
        }
        // SAFETY: only the addresses are compared; both are texts in memory.
        return unsafe one.utf8Start == other.utf8Start
            && one.utf8CodeUnitCount == other.utf8CodeUnitCount
    }
}
