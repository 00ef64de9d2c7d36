/// The series of an application, by name. A value, guarded by its owner.
struct MetricsRegistry: Sendable {
    /// The series of one name.
    struct Family: Sendable {
        let kind: MetricFamily.Kind
        /// By their labels.
        var cells: [[MetricIdentity.Label]: any AnyObject & Sendable] = [:]
    }

    private(set) var families: [String: Family] = [:]
    private(set) var seriesCount = 0
    private(set) var refusals: [MetricRefusal: Int] = [:]
    /// Where each cell is.
    private var identities: [ObjectIdentifier: MetricIdentity] = [:]

    /// Returns the cell of a series, which is made if there is none.
    ///
    /// - Throws: `MetricRefusal` if there are too many, or the name is used for something else.
    mutating func cell<Cell: AnyObject & Sendable>(
        _ identity: MetricIdentity, _ kind: MetricFamily.Kind, limit: Int, _ make: () -> Cell
    ) throws(MetricRefusal) -> Cell {
        if let family = families[identity.name] {
            guard family.kind == kind else { throw .kind }
            if let found = family.cells[identity.labels] {
                // A counter of fractions, say, where one of whole numbers is.
                guard let cell = found as? Cell else { throw .kind }
                return cell
            }
        } else if isTaken(identity.name, kind) {
            throw .kind
        }
        guard seriesCount < limit else { throw .series }
        let cell = make()
        families[identity.name, default: Family(kind: kind)].cells[identity.labels] = cell
        identities[ObjectIdentifier(cell)] = identity
        seriesCount += 1
        return cell
    }

    mutating func count(_ refusal: MetricRefusal) { refusals[refusal, default: 0] += 1 }

    /// Removes the series that the cell belongs to; nothing if it is no longer there.
    mutating func remove(_ cell: AnyObject) {
        guard let identity = identities.removeValue(forKey: ObjectIdentifier(cell)) else { return }
        seriesCount -= 1
        families[identity.name]?.cells[identity.labels] = nil
        if families[identity.name]?.cells.isEmpty == true { families[identity.name] = nil }
    }

    /// A histogram `x` has lines `x_bucket`, `x_sum`, `x_count`, which no other metric may have.
    private func isTaken(_ name: String, _ kind: MetricFamily.Kind) -> Bool {
        let suffixes = ["_bucket", "_sum", "_count"]
        if kind == .histogram, suffixes.contains(where: { families[name + $0] != nil }) {
            return true
        }
        return suffixes.contains { suffix in
            name.hasSuffix(suffix)
                && families[String(name.dropLast(suffix.count))]?.kind == .histogram
        }
    }
}
